"""Sums samples up, column by column: of a million, no sample ever becomes an object of its own.

What each figure means is said in `summary`, what each column holds in docs/samples.md. Leaves out where
samples come from.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from loadtest.load_run import Generator, LoadRun
from loadtest.sample import Arm, ErrorClass
from loadtest.stats.percentiles import interval_ranks, nearest_rank, p99
from loadtest.stats.sorted_times import SortedTimes
from loadtest.stats.summary import (
    ArmSummary,
    Interval,
    LatencyParts,
    LatencyStats,
    RequestSummary,
    Summary,
    TimeStats,
)

_NS_PER_MS = 1e6
_HTTP_ERRORS = (ErrorClass.HTTP_3XX, ErrorClass.HTTP_4XX, ErrorClass.HTTP_5XX)
_CONNECTION_ERRORS = (ErrorClass.CONNECT, ErrorClass.CLOSED, ErrorClass.PROTOCOL)


def summarise(samples: pa.Table, load_run: LoadRun | None) -> Summary:
    """Without a sample there is still the arm under test, with no requests and no figures.

    Where the load was cut short nothing but samples is known (None): their window ends with the last answer.
    """
    duration_s = load_run.window.duration_s if load_run else _last_end_s(samples)
    generator = load_run.generator if load_run else None
    present = set(samples["arm"].unique().to_pylist()) or {Arm.HEAD}
    return Summary(
        duration_s=duration_s,
        sending_s=(pc.max(samples["actual_start_ns"]).as_py() or 0) / 1e9,
        arms=tuple(
            _arm_summary(arm, samples.filter(pc.equal(samples["arm"], arm)), generator, duration_s)
            for arm in Arm
            if arm in present
        ),
    )


def _last_end_s(samples: pa.Table) -> float:
    last_end_ns = pc.max(pc.add(samples["actual_start_ns"], samples["latency_ns"])).as_py()
    return (last_end_ns or 0) / 1e9


def _arm_summary(arm: Arm, samples: pa.Table, generator: Generator | None, duration_s: float) -> ArmSummary:
    outcomes, times = _outcomes(samples), _Times(samples, generator)
    combined = sum(outcomes.values(), Counter[ErrorClass | None]())
    return ArmSummary(
        arm=arm,
        combined=_request_summary(combined, times, None, duration_s),
        hosts={host: _request_summary(outcomes[host], times, host, duration_s) for host in sorted(outcomes)},
    )


def _outcomes(samples: pa.Table) -> dict[str, Counter[ErrorClass | None]]:
    """How often each host's requests ended in which way; None is a right answer."""
    outcomes: defaultdict[str, Counter[ErrorClass | None]] = defaultdict(Counter)
    counted = samples.group_by(["host", "error"]).aggregate([([], "count_all")])
    for row in counted.to_pylist():
        outcomes[row["host"]][row["error"] and ErrorClass(row["error"])] += row["count_all"]
    return outcomes


class _Times:
    """Everything of a request that takes time, by host."""

    def __init__(self, samples: pa.Table, generator: Generator | None) -> None:
        right = samples.filter(pc.is_null(samples["error"]))
        latency, connect, first_byte = right["latency_ns"], right["connect_ns"], right["first_byte_ns"]
        hosts = right["host"]
        self.latency = SortedTimes(hosts, latency)
        opened = pc.if_else(pc.greater(connect, 0), connect, None)
        self.connect = SortedTimes(hosts, opened)
        self.first_byte = SortedTimes(hosts, pc.subtract(first_byte, connect))
        self.transfer = SortedTimes(hosts, pc.subtract(latency, first_byte))
        self.latency_from_intended_start = self.delay = None
        if generator and generator.tells_intended_start:
            self.delay = SortedTimes(samples["host"], _delay_ns(samples))
            if generator.planned_rps is not None:
                from_intended = pc.add(_delay_ns(right), latency)
                self.latency_from_intended_start = SortedTimes(hosts, from_intended)


def _delay_ns(samples: pa.Table) -> pa.ChunkedArray:
    return pc.subtract(samples["actual_start_ns"], samples["intended_start_ns"])


def _request_summary(
    outcomes: Counter[ErrorClass | None], times: _Times, host: str | None, duration_s: float
) -> RequestSummary:
    requests, succeeded = outcomes.total(), outcomes[None]
    from_intended = times.latency_from_intended_start
    return RequestSummary(
        requests=requests,
        succeeded=succeeded,
        success_ratio=succeeded / requests if requests else 0.0,
        http_errors=sum(outcomes[error] for error in _HTTP_ERRORS),
        timeouts=outcomes[ErrorClass.TIMEOUT],
        connection_errors=sum(outcomes[error] for error in _CONNECTION_ERRORS),
        wrong_bodies=outcomes[ErrorClass.WRONG_BODY],
        errors={error: outcomes[error] for error in ErrorClass if outcomes[error]},
        achieved_rps=requests / duration_s if duration_s > 0 else 0.0,
        latency=_latency_stats(times.latency.of(host)),
        latency_from_intended_start=_latency_stats(from_intended.of(host)) if from_intended else None,
        latency_parts=LatencyParts(
            connect=_time_stats(times.connect.of(host)),
            first_byte=_time_stats(times.first_byte.of(host)),
            transfer=_time_stats(times.transfer.of(host)),
        ),
        schedule_delay=_time_stats(times.delay.of(host)) if times.delay else None,
    )


def _latency_stats(sorted_ns: Sequence[int]) -> LatencyStats | None:
    if not sorted_ns:
        return None
    p99_ns = p99(sorted_ns)
    return LatencyStats(
        samples=len(sorted_ns),
        average_ms=_ms(sum(sorted_ns) / len(sorted_ns)),
        minimum_ms=_ms(sorted_ns[0]),
        p50_ms=_ms(nearest_rank(sorted_ns, 50)),
        p50_interval=_interval(sorted_ns, 50),
        p90_ms=_ms(nearest_rank(sorted_ns, 90)),
        p90_interval=_interval(sorted_ns, 90),
        p95_ms=_ms(nearest_rank(sorted_ns, 95)),
        p95_interval=_interval(sorted_ns, 95),
        p99_ms=_optional_ms(p99_ns),
        p99_interval=None if p99_ns is None else _interval(sorted_ns, 99),
        maximum_ms=_ms(sorted_ns[-1]),
    )


def _time_stats(sorted_ns: Sequence[int]) -> TimeStats | None:
    if not sorted_ns:
        return None
    return TimeStats(
        samples=len(sorted_ns),
        p50_ms=_ms(nearest_rank(sorted_ns, 50)),
        p90_ms=_ms(nearest_rank(sorted_ns, 90)),
        p99_ms=_optional_ms(p99(sorted_ns)),
        maximum_ms=_ms(sorted_ns[-1]),
    )


def _interval(sorted_ns: Sequence[int], percent: int) -> Interval | None:
    ranks = interval_ranks(len(sorted_ns), percent)
    if ranks is None:
        return None
    low_ns, high_ns = (sorted_ns[rank - 1] for rank in ranks)
    return Interval(low_ms=_ms(low_ns), high_ms=_ms(high_ns))


def _ms(value_ns: float) -> float:
    return value_ns / _NS_PER_MS


def _optional_ms(value_ns: int | None) -> float | None:
    return None if value_ns is None else _ms(value_ns)
