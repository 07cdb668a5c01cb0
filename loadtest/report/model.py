"""The report as one value: renderers turn it into text and read nothing else.

A run that measured something gives a Report, one that did not get that far a FailureReport; report.json holds
either. The JSON form has a published schema. Leaves out how any of its figures came to be.
"""

from dataclasses import dataclass
from typing import Annotated, Final, Literal

import msgspec

from loadtest.chaos.model import ChaosOutcome
from loadtest.exit_codes import ExitCode
from loadtest.load_run import Generator
from loadtest.machine import Machine
from loadtest.monitoring.model import ResourceUsage
from loadtest.plan import LoadPlan
from loadtest.sample import LoadWindow
from loadtest.security import Findings
from loadtest.slo import Verdict
from loadtest.stats.curves import Curves
from loadtest.stats.summary import Summary
from loadtest.target import AppTarget, ClusterTarget, IngressTarget
from loadtest.validity import Validity
from loadtest.versions import Versions

# Goes up when a field changes its meaning or goes away; a new field alone does not raise it.
SCHEMA_VERSION: Final = 1


@dataclass(frozen=True, kw_only=True)
class RunIdentity:
    """`commit` and `pull_request` are None outside a repository or a pull request."""

    stack: str
    created_at: str  # ISO 8601, UTC
    commit: str | None
    repository: str | None
    pull_request: int | None
    run_url: str | None


@dataclass(frozen=True, kw_only=True)
class StageTiming:
    stage: str
    duration_s: float
    outcome: Annotated[str, msgspec.Meta(pattern="^(ok|failed)$")]


# Structs and not dataclasses, for the tag that tells the two kinds of report.json apart.
class Report(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="measured"):
    """A run that sent its load."""

    schema_version: Literal[1] = SCHEMA_VERSION
    run: RunIdentity
    machine: Machine
    versions: Versions
    fingerprint: str
    cluster: ClusterTarget
    ingress: IngressTarget
    apps: tuple[AppTarget, ...]
    plan: LoadPlan
    window: LoadWindow
    generator: Generator
    summary: Summary
    curves: Curves
    resources: ResourceUsage | None  # None: nothing was asked of monitoring
    chaos: tuple[ChaosOutcome, ...] = ()
    validity: Validity
    verdict: Verdict
    timings: tuple[StageTiming, ...]
    security: Findings | None = None  # None: not scanned


class FailureReport(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="failed"):
    """A run that ended before there was anything to judge.

    `diagnostics_tail` is the last lines of what was gathered of the cluster or of the program that failed.
    `summary` and `curves` are of a load that was cut short, as far as its samples were kept.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    run: RunIdentity
    machine: Machine
    exit_code: ExitCode
    stage: str
    reason: str
    hint: str
    diagnostics_tail: tuple[str, ...]
    timings: tuple[StageTiming, ...]
    summary: Summary | None = None
    curves: Curves | None = None
    security: Findings | None = None


AnyReport = Report | FailureReport
