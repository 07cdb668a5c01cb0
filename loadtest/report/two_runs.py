"""Two runs held against each other: whether they may be at all, and how far their percentiles lie apart.

The intervals are of chance among the requests within each run. How much runs differ from each other two runs
cannot tell: nothing is judged here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from loadtest.fingerprint import facts
from loadtest.report.model import Report
from loadtest.sample import Arm
from loadtest.stats.summary import Interval, LatencyStats, RequestSummary


class Told(StrEnum):
    """What the interval of a difference says."""

    SLOWER = "slower"
    FASTER = "faster"
    NOT_APART = "not told apart"
    TOO_FEW = "too few samples"


@dataclass(frozen=True, kw_only=True)
class Unlike:
    """A fact of the fingerprint that the runs do not share."""

    fact: str
    first: str
    second: str


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Of one percentile, the second run's less the first's; `host` is None for all of them.

    The true difference lies in `interval` with a confidence of 90 % at least: each run's own percentile lies
    in its interval with one of 95 %. None where one of these is not there.
    """

    host: str | None
    figure: str
    first_ms: float
    second_ms: float
    interval: Interval | None

    @property
    def difference_ms(self) -> float:
        return self.second_ms - self.first_ms

    @property
    def told(self) -> Told:
        if self.interval is None:
            return Told.TOO_FEW
        if self.interval.low_ms > 0:
            return Told.SLOWER
        return Told.FASTER if self.interval.high_ms < 0 else Told.NOT_APART


@dataclass(frozen=True, kw_only=True)
class TwoRuns:
    first: Report
    second: Report
    unlike: tuple[Unlike, ...]
    differences: tuple[Difference, ...]

    @property
    def comparable(self) -> bool:
        return self.first.fingerprint == self.second.fingerprint


def two_runs(first: Report, second: Report) -> TwoRuns:
    return TwoRuns(
        first=first,
        second=second,
        unlike=tuple(_unlike(_flat(_facts(first)), _flat(_facts(second)))),
        differences=tuple(_differences(_by_host(first), _by_host(second))),
    )


def _facts(report: Report) -> dict[str, Any]:
    namespace = report.ingress.namespace
    return facts(report.machine, report.versions, report.plan, ingress_namespace=namespace)


def _flat(tree: Mapping[str, Any], above: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in tree.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{above}{name}.")
        else:
            words = value if isinstance(value, str) else msgspec.json.encode(value).decode()
            flat[f"{above}{name}"] = words
    return flat


def _unlike(first: Mapping[str, str], second: Mapping[str, str]) -> Iterator[Unlike]:
    for fact in dict.fromkeys((*first, *second)):
        values = (first.get(fact, "not there"), second.get(fact, "not there"))
        if values[0] != values[1]:
            yield Unlike(fact=fact, first=values[0], second=values[1])


def _by_host(report: Report) -> dict[str | None, RequestSummary]:
    tested = report.summary.arm(Arm.HEAD)
    return dict([(None, tested.combined), *tested.hosts.items()])


def _differences(
    first: Mapping[str | None, RequestSummary], second: Mapping[str | None, RequestSummary]
) -> Iterator[Difference]:
    for host, requests in first.items():
        other = second.get(host)
        if other and requests.latency and other.latency:
            yield from _of_latency(host, requests.latency, other.latency)


def _of_latency(host: str | None, first: LatencyStats, second: LatencyStats) -> Iterator[Difference]:
    yield _difference(host, "p50", first.p50_ms, second.p50_ms, first.p50_interval, second.p50_interval)
    yield _difference(host, "p90", first.p90_ms, second.p90_ms, first.p90_interval, second.p90_interval)
    yield _difference(host, "p95", first.p95_ms, second.p95_ms, first.p95_interval, second.p95_interval)
    if first.p99_ms is not None and second.p99_ms is not None:
        yield _difference(host, "p99", first.p99_ms, second.p99_ms, first.p99_interval, second.p99_interval)


def _difference(
    host: str | None,
    figure: str,
    first_ms: float,
    second_ms: float,
    first: Interval | None,
    second: Interval | None,
) -> Difference:
    interval = None
    if first and second:
        interval = Interval(low_ms=second.low_ms - first.high_ms, high_ms=second.high_ms - first.low_ms)
    return Difference(host=host, figure=figure, first_ms=first_ms, second_ms=second_ms, interval=interval)
