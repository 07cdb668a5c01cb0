"""What is promised and whether it was kept: objectives, their outcomes, and the verdict over all of them.

An objective names one of METRICS. No data is an outcome of its own and never passes. Leaves out how figures
are measured and how a verdict is shown.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from loadtest.exit_codes import ExitCode
from loadtest.monitoring.model import CLUSTER_SCOPE, ResourceUsage, ScopeUsage
from loadtest.sample import Arm
from loadtest.stats.percentiles import P99_MINIMUM_SAMPLES_TO_JUDGE
from loadtest.stats.summary import LatencyStats, RequestSummary, Summary


class Comparison(StrEnum):
    AT_MOST = "at_most"
    AT_LEAST = "at_least"

    @property
    def words(self) -> str:
        return self.value.replace("_", " ")


class OutcomeStatus(StrEnum):
    MET = "met"
    MISSED = "missed"
    NO_DATA = "no_data"


class VerdictStatus(StrEnum):
    PASSED = "passed"
    MISSED = "missed"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, kw_only=True)
class Objective:
    """`metric` is one of METRICS, unit included in its name; `limit` is in that unit."""

    metric: str
    comparison: Comparison
    limit: float


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """`margin` is how far the value lies on the good side of the limit, negative when missed."""

    objective: Objective
    status: OutcomeStatus
    value: float | None
    margin: float | None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    status: VerdictStatus
    reasons: tuple[str, ...]
    outcomes: tuple[Outcome, ...]


Metric = Callable[[RequestSummary, ResourceUsage | None], float | None]


def _requests(read: Callable[[RequestSummary], float | None]) -> Metric:
    return lambda requests, _: read(requests) if requests.requests else None


def _failure_ratio(requests: RequestSummary) -> float:
    # Not 1 - success_ratio: 1 - 0.99 is above 0.01 in floating point and would miss a limit that is kept.
    return (requests.requests - requests.succeeded) / requests.requests


def _latency(read: Callable[[LatencyStats], float | None]) -> Metric:
    return _requests(lambda requests: read(requests.latency) if requests.latency else None)


def _cluster(read: Callable[[ScopeUsage], float | None]) -> Metric:
    def metric(_: RequestSummary, resources: ResourceUsage | None) -> float | None:
        scopes = resources.scopes if resources else ()
        return next((read(scope) for scope in scopes if scope.scope == CLUSTER_SCOPE), None)

    return metric


def _judgeable_p99_ms(latency: LatencyStats) -> float | None:
    return latency.p99_ms if latency.samples >= P99_MINIMUM_SAMPLES_TO_JUDGE else None


# Figures of the version under test over all hosts together.
METRICS: Mapping[str, Metric] = {
    "success_ratio": _requests(lambda requests: requests.success_ratio),
    "failure_ratio": _requests(_failure_ratio),
    "http_errors": _requests(lambda requests: requests.http_errors),
    "timeouts": _requests(lambda requests: requests.timeouts),
    "connection_errors": _requests(lambda requests: requests.connection_errors),
    "wrong_bodies": _requests(lambda requests: requests.wrong_bodies),
    "achieved_rps": _requests(lambda requests: requests.achieved_rps),
    "latency_average_ms": _latency(lambda latency: latency.average_ms),
    "latency_p50_ms": _latency(lambda latency: latency.p50_ms),
    "latency_p90_ms": _latency(lambda latency: latency.p90_ms),
    "latency_p95_ms": _latency(lambda latency: latency.p95_ms),
    "latency_p99_ms": _latency(_judgeable_p99_ms),
    "latency_maximum_ms": _latency(lambda latency: latency.maximum_ms),
    "cluster_cpu_average_cores": _cluster(lambda scope: scope.cpu_cores.average),
    "cluster_cpu_seconds_per_1000_requests": _cluster(lambda scope: scope.cpu_seconds_per_1000_requests),
    "cluster_memory_maximum_bytes": _cluster(lambda scope: scope.memory_bytes.maximum),
}


def problems(objectives: Sequence[Objective]) -> list[str]:
    """Everything wrong with these objectives, one sentence each; empty when they can be judged."""
    counted = Counter((objective.metric, objective.comparison) for objective in objectives)
    return [problem for objective in objectives for problem in _objective_problems(objective)] + [
        f"objective {metric} {comparison.words} is given {times} times, once is enough"
        for (metric, comparison), times in counted.items()
        if times > 1
    ]


def _objective_problems(objective: Objective) -> list[str]:
    metric, limit = objective.metric, objective.limit
    if metric not in METRICS:
        return [f"objective {metric!r} is unknown, choose from: {', '.join(METRICS)}"]
    highest = 1 if metric.endswith("_ratio") else math.inf
    if not (math.isfinite(limit) and 0 <= limit <= highest):
        rule = "between 0 and 1" if highest == 1 else "0 or more"
        return [f"limit of {metric} is {limit:g}, it has to be {rule}"]
    return []


def evaluate(
    objectives: Sequence[Objective],
    summary: Summary,
    resources: ResourceUsage | None,
    *,
    planned_requests: int | None,
    dropped_requests: int = 0,
) -> Verdict:
    """Judge the version under test; fewer requests than planned cannot pass, nor can a missing figure.

    `planned_requests` is None where only time was planned; `dropped_requests` were due and never sent.
    """
    requests = summary.arm(Arm.HEAD).combined
    outcomes = tuple(_outcome(objective, requests, resources) for objective in objectives)
    missed = tuple(_reason(outcome) for outcome in outcomes if outcome.status is OutcomeStatus.MISSED)
    doubts = _doubts(requests, planned_requests, dropped_requests) + tuple(
        _reason(outcome) for outcome in outcomes if outcome.status is OutcomeStatus.NO_DATA
    )
    status = (
        VerdictStatus.MISSED if missed else VerdictStatus.INCONCLUSIVE if doubts else VerdictStatus.PASSED
    )
    nothing_promised = () if objectives else ("no objective is set: figures were measured, none was judged",)
    return Verdict(status=status, reasons=missed + doubts + nothing_promised, outcomes=outcomes)


def exit_code(verdict: Verdict) -> ExitCode:
    return {
        VerdictStatus.PASSED: ExitCode.PASSED,
        VerdictStatus.MISSED: ExitCode.OBJECTIVE_MISSED,
        VerdictStatus.INCONCLUSIVE: ExitCode.INCONCLUSIVE,
    }[verdict.status]


def _outcome(objective: Objective, requests: RequestSummary, resources: ResourceUsage | None) -> Outcome:
    value = METRICS[objective.metric](requests, resources)
    if value is None or not math.isfinite(value):
        return Outcome(objective=objective, status=OutcomeStatus.NO_DATA, value=None, margin=None)
    sign = 1 if objective.comparison is Comparison.AT_LEAST else -1
    margin = sign * (value - objective.limit)
    status = OutcomeStatus.MET if margin >= 0 else OutcomeStatus.MISSED
    return Outcome(objective=objective, status=status, value=value, margin=margin)


def _doubts(requests: RequestSummary, planned_requests: int | None, dropped_requests: int) -> tuple[str, ...]:
    if not requests.requests:
        return ("no request was sent: there is nothing to judge",)
    if planned_requests is not None and requests.requests < planned_requests:
        return (f"only {requests.requests} of {planned_requests} planned requests were sent",)
    if dropped_requests:
        return (f"{dropped_requests} requests were due and never sent: the generator had no client free",)
    return ()


def _reason(outcome: Outcome) -> str:
    objective = outcome.objective
    promise = f"it has to be {objective.comparison.words} {objective.limit:g}"
    if outcome.value is None:
        return f"{objective.metric} has no data, {promise}"
    return f"{objective.metric} is {outcome.value:.6g}, {promise}"
