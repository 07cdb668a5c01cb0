"""From readings to `ResourceUsage`: which series make up which scope, and what is missing, in words. Pure.

Leaves out asking Prometheus (`client`) and when to ask it (`measure`).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from loadtest.cluster.objects import PodName
from loadtest.monitoring.model import (
    CLUSTER_SCOPE,
    ResourceUsage,
    ScopeUsage,
    Series,
    Stretch,
    Total,
    is_wider,
)
from loadtest.monitoring.over_time import over_time
from loadtest.monitoring.queries import (
    LOOKBACK_S,
    NETWORK,
    OF_EVERY_CONTAINER,
    STALLED,
    THROTTLING,
    Metric,
    Scope,
    pod_name,
)
from loadtest.monitoring.readings import RawSeries, Reading, span_of
from loadtest.monitoring.window import (
    CounterUsage,
    bracket,
    counters_over,
    gauges_over,
    thinned,
    unread_at_start,
)
from loadtest.sample import LoadWindow

Readings = Mapping[Metric, Sequence[RawSeries]]

_SCRAPES_MISSED = 2.5  # a container not seen for this many scrapes is gone; one scrape may fail


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is to be measured. `requests` counts the load's requests by host, empty where there was no load.

    `interval_s` thins readings to at most one an interval; None takes them all.
    """

    window: LoadWindow
    scopes: tuple[Scope, ...]
    scrape_interval_s: float
    requests: Mapping[str, int]
    host_network_pods: Collection[PodName]
    interval_s: float | None = None


def usage_from(
    readings: Readings, question: Question, *, waited_s: float, problems: tuple[str, ...] = ()
) -> ResourceUsage:
    """`problems` are known already; those of the readings come after them."""
    figures = [_ScopeFigures(scope, readings, question) for scope in question.scopes]
    return ResourceUsage(
        window=question.window,
        scrape_interval_s=question.scrape_interval_s,
        scopes=tuple(one.usage() for one in figures),
        problems=(
            *problems,
            *(problem for one in figures for problem in one.problems()),
            *_too_short(figures, question.window),
        ),
        untold=_untold(readings),
        waited_s=waited_s,
    )


def _too_short(figures: Sequence["_ScopeFigures"], window: LoadWindow) -> Iterator[str]:
    if windows_s := [counted_s for one in figures if (counted_s := one.idle_window_s()) is not None]:
        yield (
            f"CPU per 1,000 requests: the load was too short to tell, {window.duration_s:.3g} s, while CPU "
            f"was counted over up to {max(windows_s):.3g} s, idle time included: "
            "send more requests to learn it"
        )


def _untold(readings: Readings) -> tuple[str, ...]:
    rules = {
        "throttling: no container is told to have a CPU limit": THROTTLING,
        "stalls: no node tells them: its kernel has to keep version 2 of cgroups": tuple(STALLED.values()),
    }
    return tuple(text for text, metrics in rules.items() if not any(readings[metric] for metric in metrics))


def relevant(readings: Readings, question: Question) -> Readings:
    """The readings less those that would mislead.

    Left out are pods that were gone before the window began, and the network rows of pods that show their
    node's traffic as their own.
    """
    gone_before_s = span_of(question.window).start_s - _SCRAPES_MISSED * question.scrape_interval_s
    last_seen_s: dict[PodName, float] = {}
    for row in readings[Metric.LAST_SEEN]:
        at_s = row.readings[-1].at_s if row.readings else 0.0
        last_seen_s[pod_name(row.labels)] = max(last_seen_s.get(pod_name(row.labels), 0.0), at_s)
    gone = {pod for pod, at_s in last_seen_s.items() if at_s < gone_before_s}
    hidden = gone | set(question.host_network_pods)
    return {
        metric: [row for row in rows if pod_name(row.labels) not in (hidden if metric in NETWORK else gone)]
        for metric, rows in readings.items()
    }


class _ScopeFigures:
    """All figures of one scope."""

    def __init__(self, scope: Scope, readings: Readings, question: Question) -> None:
        self._scope = scope
        self._question = question
        self._span = span_of(question.window)
        self._rows = {
            metric: [one for one in rows if scope.holds(one.labels)] for metric, rows in readings.items()
        }
        self._cpu = self._counters(Metric.CPU_SECONDS)
        self._received = self._counters(Metric.RECEIVED_BYTES)
        self._transmitted = self._counters(Metric.TRANSMITTED_BYTES)
        self._memory = gauges_over(self._readings(Metric.MEMORY_BYTES), self._span, hold_s=LOOKBACK_S)

    def usage(self) -> ScopeUsage:
        return ScopeUsage(
            scope=self._scope.name,
            cpu_cores=self._cpu.rate_per_s,
            memory_bytes=self._memory,
            network_receive_bytes_per_s=self._received.rate_per_s,
            network_transmit_bytes_per_s=self._transmitted.rate_per_s,
            running_pods=self._running_pods(),
            cpu_seconds=self._cpu.total,
            cpu_window_s=self._cpu.measured_s,
            cpu_seconds_per_1000_requests=self._per_1000_requests(),
            network_receive_bytes=_total(self._received),
            network_transmit_bytes=_total(self._transmitted),
            cpu_throttled_s=_total(self._counters(Metric.CPU_THROTTLED_SECONDS)),
            cpu_throttled_ratio=self._throttled_ratio(),
            cpu_stalled_s=_total(self._counters(Metric.CPU_STALLED_SECONDS)),
            memory_stalled_s=_total(self._counters(Metric.MEMORY_STALLED_SECONDS)),
            io_stalled_s=_total(self._counters(Metric.IO_STALLED_SECONDS)),
            over_time=self._over_time(),
        )

    def _over_time(self) -> tuple[Stretch, ...]:
        return over_time(
            self._readings(Metric.CPU_SECONDS),
            self._readings(Metric.MEMORY_BYTES),
            self._span,
            interval_s=self._question.interval_s or self._question.scrape_interval_s,
            hold_s=LOOKBACK_S,
        )

    def problems(self) -> list[str]:
        counters = {"CPU": self._cpu, "network in": self._received, "network out": self._transmitted}
        named = [problem for name, usage in counters.items() for problem in _counter_problems(name, usage)]
        named += self._memory_problems()
        if not self._rows[Metric.LAST_SEEN]:
            named.append("running pods: none was seen")
        return [f"{self._scope.name}: {problem}" for problem in named]

    def idle_window_s(self) -> float | None:
        """Over how long CPU was counted, where that is too long to tell what a request costs."""
        return self._cpu.measured_s if self._requests and self._diluted else None

    def _memory_problems(self) -> list[str]:
        if self._memory.average is None:
            return ["memory: no readings"]
        containers = self._readings(Metric.MEMORY_BYTES)
        if not (unread := unread_at_start(containers, self._span, hold_s=LOOKBACK_S)):
            return []
        return [
            f"memory: {unread} of {len(containers)} containers have no reading before the load: "
            "they are not counted up to their first one"
        ]

    def _counters(self, metric: Metric) -> CounterUsage:
        return counters_over(self._readings(metric), self._span)

    def _throttled_ratio(self) -> float | None:
        periods = self._counters(Metric.CPU_PERIODS).total
        throttled = self._counters(Metric.CPU_THROTTLED_PERIODS).total
        return throttled / periods if periods and throttled is not None else None

    def _readings(self, metric: Metric) -> list[Sequence[Reading]]:
        interval_s = self._question.interval_s
        rows: list[Sequence[Reading]] = [one.readings for one in self._rows[metric]]
        # What lies outside must not thin out the readings that bracket the window.
        return [thinned(bracket(row, self._span), interval_s) for row in rows] if interval_s else rows

    def _running_pods(self) -> Series:
        hold_s = _SCRAPES_MISSED * self._question.scrape_interval_s
        return gauges_over(_presence(self._rows[Metric.LAST_SEEN]), self._span, hold_s=hold_s)

    def _per_1000_requests(self) -> float | None:
        if self._cpu.total is None or not self._requests or self._diluted:
            return None
        return self._cpu.total / self._requests * 1000

    @property
    def _requests(self) -> int:
        counts = self._question.requests
        return sum(counts.values()) if self._scope.host is None else counts.get(self._scope.host, 0)

    @property
    def _diluted(self) -> bool:
        measured_s = self._cpu.measured_s
        return measured_s is not None and is_wider(measured_s, self._question.window)


def _total(counted: CounterUsage) -> Total:
    return Total(value=counted.total, samples=counted.rate_per_s.samples)


def _presence(rows: Sequence[RawSeries]) -> list[Sequence[Reading]]:
    """For each pod a reading of 1 whenever any of its containers was seen."""
    seen: dict[PodName, set[float]] = {}
    for row in rows:
        seen.setdefault(pod_name(row.labels), set()).update(reading.at_s for reading in row.readings)
    return [[Reading(at_s=at_s, value=1.0) for at_s in sorted(moments)] for moments in seen.values()]


def _counter_problems(name: str, usage: CounterUsage) -> list[str]:
    if not usage.counters:
        return [f"{name}: no readings"]
    if usage.total is None:
        return [f"{name}: no two readings to compare for any of {usage.counters} counters"]
    shortfalls = {
        "have no two readings to compare and are not counted": usage.unread,
        "have no reading before the load: their use up to their first one is not counted": usage.early,
        "have no reading after the load: their use from their last one on is not counted": usage.late,
    }
    return [
        f"{name}: {count} of {usage.counters} counters {text}" for text, count in shortfalls.items() if count
    ]


def settled(readings: Readings, question: Question) -> bool:
    """Whether every living pod of the apps and the ingress was read in full since the load ended."""
    return all(
        _scope_settled({metric: _newest(readings[metric], scope) for metric in OF_EVERY_CONTAINER}, question)
        for scope in question.scopes
        if scope.name != CLUSTER_SCOPE
    )


def _scope_settled(newest: Mapping[Metric, Mapping[tuple[str, ...], float]], question: Question) -> bool:
    end_s = span_of(question.window).end_s
    alive = {key[:2] for key, at_s in newest[Metric.LAST_SEEN].items() if at_s >= end_s}
    return bool(alive) and all(
        _all_read(moments, alive.difference(question.host_network_pods if metric in NETWORK else ()), end_s)
        for metric, moments in newest.items()
    )


def _all_read(moments: Mapping[tuple[str, ...], float], pods: Set[tuple[str, ...]], end_s: float) -> bool:
    return pods <= {key[:2] for key in moments} and all(
        at_s >= end_s for key, at_s in moments.items() if key[:2] in pods
    )


def _newest(rows: Sequence[RawSeries], scope: Scope) -> dict[tuple[str, ...], float]:
    """When each container or interface was last read, under whichever identity it had then."""
    newest: dict[tuple[str, ...], float] = {}
    for row in rows:
        if row.readings and scope.holds(row.labels):
            key = (*pod_name(row.labels), row.labels.get("container", ""), row.labels.get("interface", ""))
            newest[key] = max(newest.get(key, 0.0), row.readings[-1].at_s)
    return newest
