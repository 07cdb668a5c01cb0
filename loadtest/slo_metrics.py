"""The figures that can have limits, by name, unit included: what clients saw, what was used in the cluster.

A figure is None where there is nothing to judge it by. Leaves out limits and what becomes of them (slo).
"""

from collections.abc import Callable, Mapping

from loadtest.comparison import Comparison
from loadtest.monitoring.model import ScopeUsage
from loadtest.stats.percentiles import P99_MINIMUM_SAMPLES_TO_JUDGE
from loadtest.stats.summary import LatencyStats, RequestSummary

RequestMetric = Callable[[RequestSummary], float | None]
ResourceMetric = Callable[[ScopeUsage], float | None]


def _failure_ratio(requests: RequestSummary) -> float:
    # Not 1 - success_ratio: 1 - 0.99 is above 0.01 in floating point and would miss a limit that is kept.
    return (requests.requests - requests.succeeded) / requests.requests


def _latency(read: Callable[[LatencyStats], float | None]) -> RequestMetric:
    return lambda requests: read(requests.latency) if requests.latency else None


def _judgeable_p99_ms(latency: LatencyStats) -> float | None:
    return latency.p99_ms if latency.samples >= P99_MINIMUM_SAMPLES_TO_JUDGE else None


# Of one request at least.
REQUEST_METRICS: Mapping[str, RequestMetric] = {
    "success_ratio": lambda requests: requests.success_ratio,
    "failure_ratio": _failure_ratio,
    "http_errors": lambda requests: requests.http_errors,
    "timeouts": lambda requests: requests.timeouts,
    "connection_errors": lambda requests: requests.connection_errors,
    "wrong_bodies": lambda requests: requests.wrong_bodies,
    "achieved_rps": lambda requests: requests.achieved_rps,
    "latency_average_ms": _latency(lambda latency: latency.average_ms),
    "latency_p50_ms": _latency(lambda latency: latency.p50_ms),
    "latency_p90_ms": _latency(lambda latency: latency.p90_ms),
    "latency_p95_ms": _latency(lambda latency: latency.p95_ms),
    "latency_p99_ms": _latency(_judgeable_p99_ms),
    "latency_maximum_ms": _latency(lambda latency: latency.maximum_ms),
}
RESOURCE_METRICS: Mapping[str, ResourceMetric] = {
    "cpu_average_cores": lambda scope: scope.cpu_cores.average,
    "cpu_seconds_per_1000_requests": lambda scope: scope.cpu_seconds_per_1000_requests,
    "cpu_throttled_ratio": lambda scope: scope.cpu_throttled_ratio,
    "memory_average_bytes": lambda scope: scope.memory_bytes.average,
    "memory_maximum_bytes": lambda scope: scope.memory_bytes.maximum,
    "restarts": lambda scope: scope.restarts.value,
    "oom_kills": lambda scope: scope.oom_kills.value,
}
METRICS = (*REQUEST_METRICS, *RESOURCE_METRICS)

# These are true of what was sent, whatever disturbed its timing.
COUNTED = frozenset(
    {
        *("success_ratio", "failure_ratio", "http_errors", "timeouts", "connection_errors", "wrong_bodies"),
        *("memory_average_bytes", "memory_maximum_bytes", "restarts", "oom_kills"),
    }
)
# Why there may be no data although something was measured.
NEEDS: Mapping[str, str] = {
    "latency_p99_ms": f"(it is judged from {P99_MINIMUM_SAMPLES_TO_JUDGE:,} right answers on)",
}
_MORE_IS_BETTER = frozenset({"success_ratio", "achieved_rps"})


def comparison(metric: str) -> Comparison:
    return Comparison.AT_LEAST if metric in _MORE_IS_BETTER else Comparison.AT_MOST
