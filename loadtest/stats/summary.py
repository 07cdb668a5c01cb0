"""What the samples say, summed up by arm and host. Times in ms, ratios 0..1; percentiles are exact.

Latency figures are of rightly answered requests; failed requests are counted apart, by class, so that a fast
error never flatters a percentile. Every p99 is None below 1,000 samples: it would be little more than the
maximum.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from loadtest.sample import Arm, ErrorClass


@dataclass(frozen=True, kw_only=True)
class Interval:
    """Where the true percentile lies with a confidence of 95 %: two of the measured values."""

    low_ms: float
    high_ms: float


@dataclass(frozen=True, kw_only=True)
class LatencyStats:
    """An interval is None where there are too few samples for one."""

    samples: int
    average_ms: float
    minimum_ms: float
    p50_ms: float
    p50_interval: Interval | None
    p90_ms: float
    p90_interval: Interval | None
    p95_ms: float
    p95_interval: Interval | None
    p99_ms: float | None
    p99_interval: Interval | None
    maximum_ms: float


@dataclass(frozen=True, kw_only=True)
class TimeStats:
    """How a time that is no latency of its own was spread."""

    samples: int
    p50_ms: float
    p90_ms: float
    p99_ms: float | None
    maximum_ms: float


@dataclass(frozen=True, kw_only=True)
class LatencyParts:
    """What latencies from the actual start are made of; a part is None where the engine tells it of none.

    `connect` is of the requests that opened a connection alone: its samples say how many did. The wait for
    the first byte begins where the connection stands.
    """

    connect: TimeStats | None
    first_byte: TimeStats | None
    transfer: TimeStats | None  # from the first byte to the last


@dataclass(frozen=True, kw_only=True)
class RequestSummary:
    """`http_errors`, `timeouts`, `connection_errors` and `wrong_bodies` add up to what failed.

    Of no requests the ratio and rate are 0 and mean nothing: look at `requests` first. `schedule_delay` is
    how late the generator itself sent, failed requests included.
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
    latency: LatencyStats | None  # from the actual start; None where no request was answered rightly
    latency_from_intended_start: LatencyStats | None  # None as well where the plan fixes no starts
    latency_parts: LatencyParts
    schedule_delay: TimeStats | None  # None where no request was sent, or the engine does not tell


@dataclass(frozen=True, kw_only=True)
class ArmSummary:
    arm: Arm
    combined: RequestSummary
    hosts: Mapping[str, RequestSummary]


@dataclass(frozen=True, kw_only=True)
class Summary:
    """`sending_s` is from the window's beginning to the last request's actual start."""

    duration_s: float
    sending_s: float
    arms: tuple[ArmSummary, ...]

    def sent_rps(self, planned_s: float) -> float:
        """Of an open loop that had so much time: if it took longer that counts, waiting for answers not."""
        requests = sum(one.combined.requests for one in self.arms)
        return requests / max(planned_s, self.sending_s)

    def arm(self, arm: Arm) -> ArmSummary:
        return next(one for one in self.arms if one.arm is arm)
