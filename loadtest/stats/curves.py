"""How the figures ran over the load window, and how they were spread: small enough to stand in a report.

Samples are summed up within equal spans of time and of latency; none is left out, so that no outlier is lost.
Leaves out how they are drawn.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from loadtest.sample import ErrorClass


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Of the latencies of right answers; `p99_ms` is None below 1,000 of them."""

    minimum_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float | None
    maximum_ms: float


@dataclass(frozen=True, kw_only=True)
class Delay:
    """How late the generator itself sent, failed requests included."""

    p50_ms: float
    maximum_ms: float


@dataclass(frozen=True, kw_only=True)
class Span:
    """The requests whose actual start lies in the `span_s` from `at_s` on.

    `latency` is None where none was answered rightly, `delay` where there was no request or the engine does
    not tell when it meant to send.
    """

    at_s: float
    requests: int
    errors: Mapping[ErrorClass, int]  # only classes that occurred
    latency: Spread | None
    delay: Delay | None


@dataclass(frozen=True, kw_only=True)
class Bin:
    """So many right answers took at least `low_ms` and less than `high_ms`."""

    low_ms: float
    high_ms: float
    samples: int


@dataclass(frozen=True, kw_only=True)
class Quantile:
    """An exact percentile that at least ten samples lie beyond."""

    percent: float
    value_ms: float


@dataclass(frozen=True, kw_only=True)
class HostCurves:
    """`histogram` has the bins from the fastest answer to the slowest, on a scale of equal ratios."""

    spans: tuple[Span, ...]
    histogram: tuple[Bin, ...]
    quantiles: tuple[Quantile, ...]


@dataclass(frozen=True, kw_only=True)
class Curves:
    """Of the version under test, by host. The spans of all hosts are the same, empty ones included."""

    span_s: float
    hosts: Mapping[str, HostCurves]
