"""What is promised and whether it was kept: objectives, their outcomes, and the verdict over all of them.

An objective names a figure of the summary or of the resources by its path. No data is an outcome of its
own and never passes. Leaves out how figures are measured and how a verdict is shown.
"""

from dataclasses import dataclass
from enum import StrEnum


class Comparison(StrEnum):
    AT_MOST = "at_most"
    AT_LEAST = "at_least"


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
