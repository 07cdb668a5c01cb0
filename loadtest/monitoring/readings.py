"""What Prometheus holds, as values: readings of one series at the moments they were really taken."""

from collections.abc import Mapping
from dataclasses import dataclass

from loadtest.sample import LoadWindow


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """`at_s` is seconds since the epoch, from the clock of whoever took the reading."""

    at_s: float
    value: float


@dataclass(frozen=True, kw_only=True, slots=True)
class RawSeries:
    """One series by its labels; readings are in the order of time, no two at one moment."""

    labels: Mapping[str, str]
    readings: tuple[Reading, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A stretch of wall-clock time, in seconds since the epoch."""

    start_s: float
    end_s: float

    @property
    def duration_s(self) -> float:
        return self.end_s - self.start_s


def span_of(window: LoadWindow) -> Span:
    return Span(start_s=window.started_unix_ns / 1e9, end_s=window.ended_unix_ns / 1e9)
