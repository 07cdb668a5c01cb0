"""What a run leaves for others: its report in every format, the explanation when it failed, its publication.

Leaves out how a format renders (report) and how a place is written to (publish).
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import msgspec

from loadtest import machine, received, records, slo
from loadtest.artifacts import Artifacts
from loadtest.cluster import diagnostics, existing
from loadtest.cluster.kubectl import Kubectl
from loadtest.errors import InconclusiveError, LoadTestError, PublishError, UsageError
from loadtest.exit_codes import ExitCode
from loadtest.job import Job
from loadtest.publish import keep_history as publish_history
from loadtest.publish import publish as publish_texts
from loadtest.publish import pull_request_of_run, set_status
from loadtest.publish.commit_status import CommitStatus, State, context_of
from loadtest.report import FORMATS, comment, failure, history, json_format, markdown, sections, timings
from loadtest.report.model import SCHEMA_VERSION, AnyReport, FailureReport, Report, StageTiming
from loadtest.security import Findings
from loadtest.settings import CommentWhen, Settings
from loadtest.stack_facts import ClusterFacts, StackFacts

logger = logging.getLogger(__name__)


def save_report(artifacts: Artifacts, report: AnyReport) -> None:
    """With what a security scan has left among the artifacts by now."""
    artifacts.root.mkdir(parents=True, exist_ok=True)
    report = msgspec.structs.replace(report, security=_findings(artifacts))
    for name, render in FORMATS.items():
        artifacts.report(name).write_text(render(report))


def save_timings(artifacts: Artifacts, stages: Sequence[StageTiming]) -> None:
    """At a run's very end, when the stages after the report are timed as well."""
    artifacts.root.mkdir(parents=True, exist_ok=True)
    artifacts.timings.write_text(timings.render(stages))


def save_failure(job: Job, stages: Sequence[StageTiming], error: LoadTestError, facts: StackFacts) -> None:
    """Gather what the cluster has to say, and write it down as the report of a run that failed."""
    report = _with_figures(_failure(job, stages, error.exit_code, error.message), job.artifacts)
    tail = _diagnostics_tail(job, facts)
    save_report(job.artifacts, msgspec.structs.replace(report, hint=error.hint, diagnostics_tail=tail))


def save_refusal(job: Job, stages: Sequence[StageTiming], error: LoadTestError) -> None:
    """Of a run that could not begin: there is no cluster to gather anything of."""
    report = _failure(job, stages, error.exit_code, error.message)
    save_report(job.artifacts, msgspec.structs.replace(report, hint=error.hint))


def save_interruption(job: Job, stages: Sequence[StageTiming], how: str) -> None:
    """Nothing is gathered of the cluster: who interrupts a run wants it gone."""
    report = _failure(job, stages, ExitCode.INTERRUPTED, how)
    save_report(job.artifacts, _with_figures(report, job.artifacts))


def _failure(job: Job, stages: Sequence[StageTiming], code: ExitCode, reason: str) -> FailureReport:
    return FailureReport(
        schema_version=SCHEMA_VERSION,
        run=job.identity(),
        machine=machine.read(),
        exit_code=code,
        stage=stages[-1].stage if stages else "start",
        reason=reason,
        hint="",
        diagnostics_tail=(),
        timings=tuple(stages),
    )


def _with_figures(report: FailureReport, artifacts: Artifacts) -> FailureReport:
    """With what was kept of a load that was cut short; it explains a failure and may be no other one."""
    if not artifacts.samples.is_dir():
        return report
    from loadtest import cut_short, sample_store  # what a run that sent nothing need not load

    try:
        kept = sample_store.is_cut_short(artifacts.samples)
        return (
            cut_short.with_figures(report, sample_store.read_samples(artifacts.samples)) if kept else report
        )
    except LoadTestError as error:
        logger.warning("what was kept of the load cannot be shown: %s", error)
        return report


def publish(job: Job) -> tuple[str, ...]:
    """Post what the saved report says; the value says of each place what became of it.

    Where no report was written and no step before failed there is nothing to post: no failure.
    """
    if job.settings.job_failed and not job.artifacts.report("json").exists():
        save_refusal(job, (), InconclusiveError(_ENDED_EARLY, hint=_WHICH_STEP))
    try:
        report = json_format.load(job.artifacts.report("json"))
    except UsageError as error:
        return (f"nothing to post: {error.message}",)
    return _publish(report, job.settings)


def _findings(artifacts: Artifacts) -> Findings | None:
    """None where nothing was scanned; a damaged scan costs no run its report."""
    if not artifacts.findings.exists():
        return None
    try:
        return records.load(Findings, artifacts.findings)
    except UsageError as error:
        return Findings(problem=error.message)


def publish_received(folder: Path, *, stack: str, settings: Settings) -> tuple[str, ...]:
    """The same for a report that another workflow run left; whose it is, the event alone says."""
    try:
        if settings.pull_request is None:
            settings = replace(settings, pull_request=pull_request_of_run(settings))
        report = received.read(folder, stack=stack, settings=settings)
    except (PublishError, UsageError) as error:
        return (f"nothing to post: {error.message}",)
    return _publish(report, settings, note=received.NOTE)


def keep_history(artifacts: Artifacts, *, stack: str, settings: Settings) -> str:
    """Add the saved report to the history. Raises LoadTestError where there is none, or no way to keep it."""
    line = history.line(json_format.load(artifacts.report("json")))
    return publish_history(line, stack=stack, settings=settings)


def say_skipped(stack: str, settings: Settings) -> str:
    """Where a branch rule asks for the status, a pull request that is not measured needs one as well."""
    status = CommitStatus(
        context=context_of(stack),
        state=State.SUCCESS,
        description="not measured: the pull request has the label skip-loadtest",
        url=settings.run_url,
    )
    try:
        return set_status(status, settings)
    except PublishError as error:
        return " ".join(filter(None, (error.message, error.hint)))


def _publish(report: AnyReport, settings: Settings, *, note: str = "") -> tuple[str, ...]:
    return publish_texts(
        compose=partial(_comment, report, note, settings.comment_when),
        marker=comment.marker(report.run.stack),
        status=_status(report),
        summary=markdown.render(report),
        settings=settings,
    )


def _comment(report: AnyReport, note: str, when: CommentWhen, there: str) -> str | None:
    """To edit a comment notifies nobody, and one that is left behind misleads: only to start one is loud."""
    if when is CommentWhen.CHANGES and not there and comment.is_quiet(report):
        return None
    text = comment.after(report, there)
    return comment.with_note(text, note) if note else text


def _status(report: AnyReport) -> CommitStatus:
    match report:
        case Report():
            code, words = slo.exit_code(report.verdict), sections.headline(report)
        case FailureReport():
            code, words = report.exit_code, failure.headline(report)
    return CommitStatus(
        context=context_of(report.run.stack),
        state=_STATES.get(code, State.ERROR),
        description=words,
        url=report.run.run_url,
    )


_ENDED_EARLY = "a step of the workflow failed before there was a report"
_WHICH_STEP = "The log of the workflow run says which step, and why."
_STATES = {ExitCode.PASSED: State.SUCCESS, ExitCode.OBJECTIVE_MISSED: State.FAILURE}


def _diagnostics_tail(job: Job, facts: StackFacts) -> tuple[str, ...]:
    cluster = facts.cluster
    if cluster is None or (cluster.kubeconfig_path and not Path(cluster.kubeconfig_path).exists()):
        return ()
    try:
        kubectl = _kubectl(cluster)
    except LoadTestError as error:
        return (error.message,)
    kind_cluster = cluster.name if cluster.by_kind else None
    return diagnostics.gather(kubectl, kind_cluster=kind_cluster, folder=job.artifacts.diagnostics).tail


def _kubectl(cluster: ClusterFacts) -> Kubectl:
    """Looks into everything in a cluster made for the stack, else into the stack's own namespaces alone."""
    kubectl = Kubectl(kubeconfig_path=cluster.kubeconfig_path, context=cluster.context)
    if not cluster.stays:
        return kubectl
    return replace(kubectl, namespaces=existing.own_namespaces(kubectl, cluster.selector))
