"""Sums samples up: they are taken one at a time, and the figures made once at the end.

What each figure means is said in `summary`. Keeps eight bytes of a sample and figure, never the samples.
"""

from array import array
from collections import Counter
from collections.abc import Iterable

from loadtest.sample import Arm, ErrorClass, LoadWindow, Sample
from loadtest.stats.percentiles import nearest_rank, p99
from loadtest.stats.summary import ArmSummary, LatencyStats, RequestSummary, Summary

_NS_PER_MS = 1e6
_HTTP_ERRORS = (ErrorClass.HTTP_3XX, ErrorClass.HTTP_4XX, ErrorClass.HTTP_5XX)
_CONNECTION_ERRORS = (ErrorClass.CONNECT, ErrorClass.CLOSED, ErrorClass.PROTOCOL)


def summarise(samples: Iterable[Sample], window: LoadWindow) -> Summary:
    """Without a sample there is still the arm under test, with no requests and no figures."""
    tallies: dict[Arm, dict[str, _Tally]] = {}
    for sample in samples:
        hosts = tallies.setdefault(sample.arm, {})
        if sample.host not in hosts:
            hosts[sample.host] = _Tally()
        hosts[sample.host].add(sample)
    tallies = tallies or {Arm.HEAD: {}}
    return Summary(
        duration_s=window.duration_s,
        arms=tuple(_arm_summary(arm, tallies[arm], window.duration_s) for arm in Arm if arm in tallies),
    )


class _Tally:
    """What is remembered of the requests to one host."""

    def __init__(self) -> None:
        self.latencies_ns = array("q")  # of the rightly answered alone
        self.delays_ns = array("q")
        self.errors: Counter[ErrorClass] = Counter()

    def add(self, sample: Sample) -> None:
        self.delays_ns.append(sample.actual_start_ns - sample.intended_start_ns)
        if sample.error is None:
            self.latencies_ns.append(sample.latency_ns)
        else:
            self.errors[sample.error] += 1

    def merge(self, other: "_Tally") -> None:
        self.latencies_ns += other.latencies_ns
        self.delays_ns += other.delays_ns
        self.errors += other.errors

    def summary(self, duration_s: float) -> RequestSummary:
        delays_ns = sorted(self.delays_ns)
        requests, succeeded = len(delays_ns), len(self.latencies_ns)
        return RequestSummary(
            requests=requests,
            succeeded=succeeded,
            success_ratio=succeeded / requests if requests else 0.0,
            http_errors=self._count(*_HTTP_ERRORS),
            timeouts=self._count(ErrorClass.TIMEOUT),
            connection_errors=self._count(*_CONNECTION_ERRORS),
            wrong_bodies=self._count(ErrorClass.WRONG_BODY),
            errors={error: self.errors[error] for error in ErrorClass if error in self.errors},
            achieved_rps=requests / duration_s if duration_s > 0 else 0.0,
            latency=_latency_stats(self.latencies_ns),
            schedule_delay_p99_ms=_optional_ms(p99(delays_ns)),
            schedule_delay_maximum_ms=_ms(delays_ns[-1]) if delays_ns else 0.0,
        )

    def _count(self, *classes: ErrorClass) -> int:
        return sum(self.errors[error] for error in classes)


def _arm_summary(arm: Arm, hosts: dict[str, _Tally], duration_s: float) -> ArmSummary:
    combined = _Tally()
    for tally in hosts.values():
        combined.merge(tally)
    return ArmSummary(
        arm=arm,
        combined=combined.summary(duration_s),
        hosts={host: hosts[host].summary(duration_s) for host in sorted(hosts)},
    )


def _latency_stats(latencies_ns: "array[int]") -> LatencyStats | None:
    if not latencies_ns:
        return None
    ordered_ns = sorted(latencies_ns)
    return LatencyStats(
        samples=len(ordered_ns),
        average_ms=_ms(sum(ordered_ns) / len(ordered_ns)),
        minimum_ms=_ms(ordered_ns[0]),
        p50_ms=_ms(nearest_rank(ordered_ns, 50)),
        p90_ms=_ms(nearest_rank(ordered_ns, 90)),
        p95_ms=_ms(nearest_rank(ordered_ns, 95)),
        p99_ms=_optional_ms(p99(ordered_ns)),
        maximum_ms=_ms(ordered_ns[-1]),
    )


def _ms(value_ns: float) -> float:
    return value_ns / _NS_PER_MS


def _optional_ms(value_ns: int | None) -> float | None:
    return None if value_ns is None else _ms(value_ns)
