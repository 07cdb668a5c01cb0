"""The report as one value: renderers turn it into text and read nothing else.

Its JSON form has a published schema. Leaves out how any of its figures came to be.
"""

from dataclasses import dataclass

from loadtest.load_run import Generator
from loadtest.monitoring.model import ResourceUsage
from loadtest.plan import LoadPlan
from loadtest.sample import LoadWindow
from loadtest.slo import Verdict
from loadtest.stats.summary import Summary
from loadtest.target import AppTarget, ClusterTarget, IngressTarget

SCHEMA_VERSION = 1


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
class Machine:
    """Where the run took place: figures of unlike machines are not to be compared."""

    cpu_model: str
    cpu_count: int
    memory_bytes: int
    kernel: str


@dataclass(frozen=True, kw_only=True)
class StageTiming:
    stage: str
    duration_s: float
    outcome: str  # "ok", "failed" or "skipped"


@dataclass(frozen=True, kw_only=True)
class Report:
    schema_version: int
    run: RunIdentity
    machine: Machine
    cluster: ClusterTarget
    ingress: IngressTarget
    apps: tuple[AppTarget, ...]
    plan: LoadPlan
    window: LoadWindow
    generator: Generator
    summary: Summary
    resources: ResourceUsage | None  # None: monitoring failed altogether, `notes` says why
    verdict: Verdict
    timings: tuple[StageTiming, ...]
    notes: tuple[str, ...]
