"""What is promised and whether it was kept: objectives, their outcomes, and the verdict over all of them.

No data is an outcome of its own and never passes. Leaves out how figures are measured (slo_metrics names
them) and how a verdict is shown.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from loadtest.comparison import Comparison
from loadtest.exit_codes import ExitCode
from loadtest.monitoring.model import CLUSTER_SCOPE, ResourceUsage, ScopeUsage
from loadtest.sample import Arm
from loadtest.slo_metrics import COUNTED, NEEDS, REQUEST_METRICS, RESOURCE_METRICS, comparison
from loadtest.stats.summary import ArmSummary, Summary
from loadtest.validity import Validity


class OutcomeStatus(StrEnum):
    MET = "met"
    WARNED = "warned"
    MISSED = "missed"
    NO_DATA = "no_data"


class VerdictStatus(StrEnum):
    PASSED = "passed"
    WARNED = "warned"
    MISSED = "missed"
    INCONCLUSIVE = "inconclusive"


_SEVERITY = (VerdictStatus.PASSED, VerdictStatus.WARNED, VerdictStatus.INCONCLUSIVE, VerdictStatus.MISSED)


@dataclass(frozen=True, kw_only=True)
class Objective:
    """Limits of a metric in its own unit: a warning beyond `warn_limit`, missed beyond `fail_limit`.

    At least one of the two is there, and of both that to warn of is the stricter. What clients saw is that of
    one `host`, of all of them where it is None; what was used in the cluster is that of one `scope`, of the
    whole cluster where it is None.
    """

    metric: str
    host: str | None = None
    scope: str | None = None
    warn_limit: float | None = None
    fail_limit: float | None = None

    @property
    def stricter_limit(self) -> float:
        return next(limit for limit in (self.warn_limit, self.fail_limit) if limit is not None)

    @property
    def words(self) -> str:
        place = self.host or self.scope
        return f"{self.metric} of {place}" if place else self.metric


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """`limit` is the one that decided: of a missed objective that of failing, else the stricter.

    `margin` is how far the value lies on the good side of it, negative where it does not.
    """

    objective: Objective
    status: OutcomeStatus
    value: float | None
    comparison: Comparison  # of the value with the limit
    limit: float
    margin: float | None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    status: VerdictStatus
    reasons: tuple[str, ...]
    outcomes: tuple[Outcome, ...]


def evaluate(
    objectives: Sequence[Objective],
    summary: Summary,
    resources: ResourceUsage | None,
    validity: Validity,
) -> Verdict:
    """Judge the version under test; neither a doubtful measurement nor a missing figure can pass.

    A disturbed measurement cannot miss a limit on a figure of time either: what was too long may have been
    the generator's own. What was counted stays missed.
    """
    outcomes = tuple(_outcome(one, summary.arm(Arm.HEAD), resources) for one in objectives)
    findings = [
        *((VerdictStatus.INCONCLUSIVE, check.words) for check in validity.doubts),
        *(_finding(one, validity) for one in outcomes),
    ]
    worst_first = sorted(findings, key=lambda finding: _SEVERITY.index(finding[0]), reverse=True)
    nothing_promised = () if objectives else ("no objective is set: figures were measured, none was judged",)
    return Verdict(
        status=worst_first[0][0] if worst_first else VerdictStatus.PASSED,
        reasons=(
            *(words for status, words in worst_first if status is not VerdictStatus.PASSED),
            *nothing_promised,
        ),
        outcomes=outcomes,
    )


def exit_code(verdict: Verdict) -> ExitCode:
    return {
        VerdictStatus.PASSED: ExitCode.PASSED,
        VerdictStatus.WARNED: ExitCode.PASSED,
        VerdictStatus.MISSED: ExitCode.OBJECTIVE_MISSED,
        VerdictStatus.INCONCLUSIVE: ExitCode.INCONCLUSIVE,
    }[verdict.status]


def _finding(outcome: Outcome, validity: Validity) -> tuple[VerdictStatus, str]:
    """What the outcome makes of the verdict, and why."""
    words, binding = _reason(outcome), outcome.objective.fail_limit is not None
    match outcome.status:
        case OutcomeStatus.MET:
            return VerdictStatus.PASSED, words
        case OutcomeStatus.WARNED:
            return VerdictStatus.WARNED, words
        case OutcomeStatus.NO_DATA:
            # At worst it could have warned, so it does no more where it could not be measured.
            return VerdictStatus.INCONCLUSIVE if binding else VerdictStatus.WARNED, words
        case OutcomeStatus.MISSED:
            if validity.disturbed and outcome.objective.metric not in COUNTED:
                return VerdictStatus.INCONCLUSIVE, f"{words}: not proven by such a measurement"
            return VerdictStatus.MISSED, words


def _outcome(objective: Objective, tested: ArmSummary, resources: ResourceUsage | None) -> Outcome:
    value = _value(objective, tested, resources)
    compared = comparison(objective.metric)
    status, limit = _judged(value, objective, compared)
    return Outcome(
        objective=objective,
        status=status,
        value=value,
        comparison=compared,
        limit=limit,
        margin=None if value is None else compared.margin(value, limit),
    )


def _value(objective: Objective, tested: ArmSummary, resources: ResourceUsage | None) -> float | None:
    if of_requests := REQUEST_METRICS.get(objective.metric):
        requests = tested.hosts.get(objective.host) if objective.host else tested.combined
        value = of_requests(requests) if requests and requests.requests else None
    else:
        scope = _scope(resources, objective.scope or CLUSTER_SCOPE)
        value = RESOURCE_METRICS[objective.metric](scope) if scope else None
    return value if value is not None and math.isfinite(value) else None


def _scope(resources: ResourceUsage | None, name: str) -> ScopeUsage | None:
    return next((one for one in resources.scopes if one.scope == name), None) if resources else None


def _judged(value: float | None, objective: Objective, compared: Comparison) -> tuple[OutcomeStatus, float]:
    """With the limit that decided."""
    warn, fail = objective.warn_limit, objective.fail_limit
    if value is not None and fail is not None and compared.margin(value, fail) < 0:
        return OutcomeStatus.MISSED, fail
    if value is not None and warn is not None and compared.margin(value, warn) < 0:
        return OutcomeStatus.WARNED, warn
    return OutcomeStatus.NO_DATA if value is None else OutcomeStatus.MET, objective.stricter_limit


def _reason(outcome: Outcome) -> str:
    objective = outcome.objective
    if outcome.value is None:
        return " ".join(filter(None, (f"{objective.words} has no data", NEEDS.get(objective.metric))))
    binding = "has to" if outcome.limit == objective.fail_limit else "should"
    return (
        f"{objective.words} is {outcome.value:.6g}, it {binding} be "
        f"{outcome.comparison.words} {outcome.limit:.6g}"
    )
