"""From values to places on a drawing, and the round values that are written beside an axis."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from math import ceil, floor, log, log10

_STEPS = (1, 2, 5, 10)
_MOST_TICKS = 8
_BINARY, _LARGEST_POWER = 1024, 3
_ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Values from `low` to `high` lie from `start` to `end`, in the units of a drawing.

    Round values of a linear scale are so in units of `unit`, and where these are `whole` no part of one.
    """

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False
    unit: float = 1.0
    whole: bool = False

    def at(self, value: float) -> float:
        """What lies outside is drawn at the edge."""
        within = min(max(value, self.low), self.high)
        if self.logarithmic:
            ratio = log10(within / self.low) / log10(self.high / self.low)
        else:
            ratio = (within - self.low) / (self.high - self.low)
        return self.start + ratio * (self.end - self.start)

    def ticks(self) -> list[float]:
        return list(_logarithmic_ticks(self.low, self.high) if self.logarithmic else self._linear_ticks())

    def _linear_ticks(self) -> Iterator[float]:
        step = self.unit * _round_up((self.high - self.low) / self.unit / _MOST_TICKS)
        if self.whole:
            step = max(step, self.unit)
        for number in range(ceil(self.low / step - _ROUNDING), floor(self.high / step + _ROUNDING) + 1):
            yield number * step


def linear(high: float, *, start: float, end: float) -> Scale:
    """From nought."""
    return Scale(low=0.0, high=high if high > 0 else 1.0, start=start, end=end)


def counted(most: float, *, start: float, end: float) -> Scale:
    """From nought, of whole things."""
    return replace(linear(most, start=start, end=end), whole=True)


def sized(most_bytes: float, *, start: float, end: float) -> Scale:
    """From nought, in the unit that such a size is written in."""
    power = min(_LARGEST_POWER, int(log(max(most_bytes, 1), _BINARY)))
    return replace(linear(most_bytes, start=start, end=end), unit=float(_BINARY**power))


def logarithmic(values: Iterable[float], *, start: float, end: float) -> Scale:
    """Round values around all of these; what is not above nought has no place on it."""
    shown = [one for one in values if one > 0] or [1.0]
    low, high = _round_down(min(shown)), _round_up(max(shown))
    return Scale(low=low, high=high if high > low else 10 * low, start=start, end=end, logarithmic=True)


def _logarithmic_ticks(low: float, high: float) -> list[float]:
    decades = range(floor(log10(low)), ceil(log10(high)) + 1)
    for factors in ((1, 2, 5), (1,)):
        ticks = [factor * 10.0**decade for decade in decades for factor in factors]
        within = [one for one in ticks if low * (1 - _ROUNDING) <= one <= high * (1 + _ROUNDING)]
        if len(within) <= _MOST_TICKS:
            break
    return within


def _round_up(value: float) -> float:
    power = 10.0 ** floor(log10(value))
    return next(step * power for step in _STEPS if step * power >= value * (1 - _ROUNDING))


def _round_down(value: float) -> float:
    power = 10.0 ** floor(log10(value))
    return next(step * power for step in reversed(_STEPS) if step * power <= value * (1 + _ROUNDING))
