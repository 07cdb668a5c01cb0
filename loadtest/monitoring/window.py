"""From raw readings to figures of exactly one span of time: pure functions, no clock, no network.

Readings hardly ever fall on the edges of a load, so both kinds of series are read between the last reading
at or before its start and the first at or after its end:

- counters as differences between real readings. Between two of them the rate is taken as even; a counter
  that falls was set back to 0 in between, so all it shows was added since.
- gauges as they were read, each holding until its next reading.

Nothing is extrapolated and nothing is made up: what has no readings is None.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

from loadtest.monitoring.model import Series
from loadtest.monitoring.readings import Reading, Span

NO_READINGS = Series(average=None, minimum=None, maximum=None, samples=0)


@dataclass(frozen=True, kw_only=True)
class CounterUsage:
    """What counters grew by, all added up, and how fast.

    `total` is what lies between real readings, `measured_s` over how long at most. `unread` counts counters
    with no two readings to compare, `late` those without one after the span, `early` without one before it.
    """

    total: float | None
    measured_s: float | None
    rate_per_s: Series
    counters: int
    unread: int
    early: int
    late: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _Piece:
    start_s: float
    end_s: float
    rate_per_s: float


def bracket(readings: Sequence[Reading], span: Span) -> Sequence[Reading]:
    """From the last reading at or before the span to the first at or after it, as far as there are any."""
    moments = [reading.at_s for reading in readings]
    first = max(0, bisect_right(moments, span.start_s) - 1)
    last = bisect_left(moments, span.end_s)
    return readings[first : last + 1]


def growth(readings: Sequence[Reading]) -> float:
    return sum(_increment(earlier, later) for earlier, later in pairwise(readings))


def counters_over(counters: Collection[Sequence[Reading]], span: Span) -> CounterUsage:
    """What these counters together grew by over the span."""
    brackets = [bracket(readings, span) for readings in counters]
    read = [readings for readings in brackets if len(readings) > 1]
    return CounterUsage(
        total=sum(map(growth, read)) if read else None,
        measured_s=max((readings[-1].at_s - readings[0].at_s for readings in read), default=None),
        rate_per_s=_rate(read, span) if read else NO_READINGS,
        counters=len(brackets),
        unread=len(brackets) - len(read),
        early=sum(readings[0].at_s > span.start_s for readings in read),
        late=sum(readings[-1].at_s < span.end_s for readings in read),
    )


def gauges_over(gauges: Collection[Sequence[Reading]], span: Span, *, hold_s: float) -> Series:
    """These gauges added up, at the span's start and at every reading from there to the first after its end.

    A reading older than `hold_s` no longer counts: whatever it was of is gone.
    """
    brackets = [readings for gauge in gauges if (readings := bracket(gauge, span))]
    later = {reading.at_s for readings in brackets for reading in readings if reading.at_s > span.start_s}
    moments = sorted(later | {span.start_s})
    sums = [held for moment in moments if (held := _held(brackets, moment, hold_s)) is not None]
    if not sums:
        return NO_READINGS
    return Series(
        average=sum(sums) / len(sums),
        minimum=min(sums),
        maximum=max(sums),
        samples=min(len(readings) for readings in brackets),
    )


def unread_at_start(gauges: Collection[Sequence[Reading]], span: Span, *, hold_s: float) -> int:
    """How many of these gauges `gauges_over` leaves out of the span's start, and maybe of more of it."""
    return sum(_held([readings], span.start_s, hold_s) is None for readings in gauges)


def thinned(readings: Sequence[Reading], interval_s: float) -> Sequence[Reading]:
    """At most one reading an interval, the first and the last always among them."""
    kept = list(readings[:1])
    for reading in readings[1:-1]:
        if reading.at_s - kept[-1].at_s >= interval_s:
            kept.append(reading)
    return [*kept, *readings[1:][-1:]]


def _increment(earlier: Reading, later: Reading) -> float:
    return later.value - earlier.value if later.value >= earlier.value else later.value


def _rate(brackets: Sequence[Sequence[Reading]], span: Span) -> Series:
    """The even rates between readings added up, over what part of the span there are readings for."""
    pieces = [[_piece(*pair) for pair in pairwise(readings)] for readings in brackets]
    start_s = max(span.start_s, min(readings[0].at_s for readings in brackets))
    end_s = min(span.end_s, max(readings[-1].at_s for readings in brackets))
    edges = sorted(
        {start_s, end_s} | {piece.end_s for row in pieces for piece in row if start_s < piece.end_s < end_s}
    )
    stretches = list(pairwise(edges)) or [(start_s, end_s)]
    rates = [sum(_rate_at(row, (begin + end) / 2) for row in pieces) for begin, end in stretches]
    return Series(
        average=_weighted_mean(rates, [end - begin for begin, end in stretches]),
        minimum=min(rates),
        maximum=max(rates),
        samples=min(map(len, brackets)),
    )


def _weighted_mean(values: Sequence[float], weights: Sequence[float]) -> float:
    if sum(weights) <= 0:
        return values[0]
    mean = sum(value * weight for value, weight in zip(values, weights, strict=True)) / sum(weights)
    return min(max(mean, min(values)), max(values))  # rounding must not carry it past the extremes


def _piece(earlier: Reading, later: Reading) -> _Piece:
    duration_s = later.at_s - earlier.at_s
    return _Piece(start_s=earlier.at_s, end_s=later.at_s, rate_per_s=_increment(earlier, later) / duration_s)


def _rate_at(pieces: Sequence[_Piece], moment_s: float) -> float:
    index = bisect_left(pieces, moment_s, key=lambda piece: piece.end_s)
    inside = index < len(pieces) and pieces[index].start_s <= moment_s
    return pieces[index].rate_per_s if inside else 0.0


def _held(brackets: Sequence[Sequence[Reading]], moment_s: float, hold_s: float) -> float | None:
    values = [
        readings[index].value
        for readings in brackets
        if (index := bisect_right(readings, moment_s, key=lambda reading: reading.at_s) - 1) >= 0
        and moment_s - readings[index].at_s <= hold_s
    ]
    return sum(values) if values else None
