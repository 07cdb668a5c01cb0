"""What the samples say, summed up by arm and host. Times in ms, ratios 0..1; percentiles are exact.

Latency figures are of rightly answered requests, from the actual start; failed requests are counted apart, by
class, so that a fast error never flatters a percentile.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from loadtest.sample import Arm, ErrorClass


@dataclass(frozen=True, kw_only=True)
class LatencyStats:
    """`p99_ms` is None below 1,000 samples: it would be little more than the maximum."""

    samples: int
    average_ms: float
    minimum_ms: float
    p50_ms: float
    p90_ms: float
    p95_ms: float
    p99_ms: float | None
    maximum_ms: float


@dataclass(frozen=True, kw_only=True)
class RequestSummary:
    """`http_errors`, `timeouts`, `connection_errors` and `wrong_bodies` add up to what failed.

    Of no requests the ratio, rate and delay are 0 and mean nothing: look at `requests` first.
    """

    requests: int
    succeeded: int
    success_ratio: float
    http_errors: int
    timeouts: int
    connection_errors: int  # connect, closed and protocol
    wrong_bodies: int
    errors: Mapping[ErrorClass, int]  # only classes that occurred
    achieved_rps: float  # answered rightly or not, over the load window
    latency: LatencyStats | None  # None where no request was answered rightly
    schedule_delay_p99_ms: float | None  # how late the generator itself sent; None below 1,000 samples
    schedule_delay_maximum_ms: float


@dataclass(frozen=True, kw_only=True)
class ArmSummary:
    arm: Arm
    combined: RequestSummary
    hosts: Mapping[str, RequestSummary]


@dataclass(frozen=True, kw_only=True)
class Summary:
    duration_s: float
    arms: tuple[ArmSummary, ...]

    def arm(self, arm: Arm) -> ArmSummary:
        return next(one for one in self.arms if one.arm is arm)
