"""A whole run from check to destroy, and its parts for those who deploy by hand.

The order is fixed: whatever becomes of the work, its explanation is written and posted, then everything
is taken down, and the worst of what happened decides the exit code last. Leaves out how each
stage does its work.
"""

import gc
import importlib
import logging
import shlex
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path

from loadtest import guard, records, results, slo
from loadtest.chaos.planned import check_fits
from loadtest.check import check
from loadtest.cluster.kubectl import Kubectl
from loadtest.destroy import destroy
from loadtest.engines import engine_for
from loadtest.errors import DefectError, LoadTestError
from loadtest.exit_codes import ExitCode, worst
from loadtest.job import Job
from loadtest.process import Watcher
from loadtest.pulumi_cli import PulumiStack
from loadtest.report import terminal
from loadtest.report.model import FailureReport, Report
from loadtest.run_lock import run_lock
from loadtest.signals import Interrupted, Interrupts, interrupts
from loadtest.stack_facts import StackFacts, read_stack_facts
from loadtest.stages import Stages
from loadtest.target import TargetEnvironment, parse_target

logger = logging.getLogger(__name__)

# Imported where they are used, the last by httpx at its first client: they take half a second of CPU, which a
# run has while its cluster comes up.
_AFTER_UP = ("loadtest.measurement", "loadtest.report.page", "httpcore")


def run_pipeline(job: Job, stages: Stages, *, keep: bool) -> ExitCode:
    """Everything. Raises LoadTestError only for what is found before anything was created."""
    with run_lock(job.project, job.stack), interrupts() as interruption:
        stages.checkpoint = interruption.checkpoint
        job.artifacts.start_afresh()
        with interruption.armed():
            facts = checked(job, stages)
        with nullcontext() if keep else _guarded(job) as watcher:
            stack = _watched_stack(job, facts, watcher)
            try:
                work = partial(_deploy_and_measure, job, stages, stack)
                code = _attempt(job, stages, work, facts, interruption)
                comment(job, stages)
            finally:
                left = _say_how_to_reach(job, stages, facts) if keep else _put_away(job, stages, stack, facts)
                results.save_timings(job.artifacts, stages.timings)
    return worst((code, left))


def checked(job: Job, stages: Stages) -> StackFacts:
    """What keeps the run from working is its report as well, unless that of an earlier run is there.

    Raises LoadTestError with everything that does.
    """
    try:
        with stages.stage("check"):
            return check(job.project, job.stack, job.load_flags)
    except LoadTestError as error:
        if not job.artifacts.report("json").exists():
            results.save_refusal(job, stages.timings, error)
        raise


def run_deployed(job: Job, stages: Stages) -> ExitCode:
    """Health, load, monitor and report on a stack that someone else deployed and takes down."""
    with run_lock(job.project, job.stack), interrupts() as interruption:
        stages.checkpoint = interruption.checkpoint
        facts = read_stack_facts(job.project, job.stack)
        plan = facts.load.plan(job.load_flags)
        engine_for(plan)  # wrong flags are told before earlier results are gone
        check_fits(facts.chaos, plan.profile)
        job.artifacts.start_afresh()
        measure = partial(_measure_deployed, job, stages)
        code = _attempt(job, stages, measure, facts, interruption)
        results.save_timings(job.artifacts, stages.timings)
    if code is ExitCode.INTERRUPTED:
        stages.note(f"the stack is still up: `make destroy STACK={job.stack}` takes it down")
    return code


def monitor_deployed(job: Job, stages: Stages, *, duration_s: float, interval_s: float) -> ExitCode:
    """What a deployed stack uses from now on, written to monitor.json."""
    from loadtest.monitoring import measure as monitoring

    with interrupts() as interruption, interruption.armed(), stages.stage("monitor") as say:
        target = _target(_stack(job))
        usage = monitoring.watch(target, duration_s=duration_s, interval_s=interval_s, say=say)
        records.save(usage, job.artifacts.monitor)
    stages.note(f"what the cluster used stands in {job.artifacts.monitor}")
    return ExitCode.PASSED


def report_again(job: Job, stages: Stages) -> ExitCode:
    """The report once more from what an earlier run saved; the verdict is judged anew."""
    from loadtest import measurement

    with stages.stage("report"):
        report = measurement.report_from(job.artifacts)
        results.save_report(job.artifacts, report)
    if isinstance(report, FailureReport):
        stages.note(f"{report.reason}\n{report.hint}")
        return report.exit_code
    return slo.exit_code(report.verdict)


def comment(job: Job, stages: Stages, *, received: Path | None = None) -> None:
    """Post the comment of the report in the artifacts, or of a received one; never fails a run."""
    with stages.stage("comment"):
        notes = (
            results.publish_received(received, stack=job.stack, settings=job.settings)
            if received
            else results.publish(job)
        )
        for note in notes:
            stages.note(note)


def destroy_leftovers(job: Job, stages: Stages) -> ExitCode:
    """Take down what a run left, or what was deployed by hand; an interrupt waits until that is done."""
    with run_lock(job.project, job.stack), interrupts():
        facts = read_stack_facts(job.project, job.stack)
        return _put_away(job, stages, _stack(job), facts)


def _guarded(job: Job) -> AbstractContextManager[Watcher]:
    """Should this process die, `destroy` is called for it."""
    return guard.guarded(
        ("python", "-m", "loadtest", "destroy", "--stack", job.stack, "--artifacts", str(job.artifacts.root)),
        folder=job.project,
        log=job.artifacts.logs / "guard.log",
    )


def _stack(job: Job) -> PulumiStack:
    return PulumiStack(project=job.project, stack=job.stack, logs=job.artifacts.logs)


def _watched_stack(job: Job, facts: StackFacts, watcher: Watcher | None) -> PulumiStack:
    """Without checkpoints where all that is made goes with a cluster that is found by its name as well."""
    found_by_name = facts.cluster is not None and facts.cluster.by_kind
    return replace(_stack(job), watcher=watcher, checkpoints=not found_by_name)


def _target(stack: PulumiStack) -> TargetEnvironment:
    return parse_target(stack.outputs())


def _deploy_and_measure(job: Job, stages: Stages, stack: PulumiStack) -> Report:
    imports = threading.Thread(target=_import_what_comes_after_up, daemon=True)
    imports.start()
    with stages.stage("up") as say:
        stack.up(say)
        target = _target(stack)
    imports.join()
    return _measure(job, stages, target)


def _import_what_comes_after_up() -> None:
    gc.disable()  # what is imported stays, and to look for garbage among it takes half as long again
    try:
        for module in _AFTER_UP:
            importlib.import_module(module)
    finally:
        gc.enable()


def _measure_deployed(job: Job, stages: Stages) -> Report:
    return _measure(job, stages, _target(_stack(job)))


def _measure(job: Job, stages: Stages, target: TargetEnvironment) -> Report:
    from loadtest import measurement

    report = measurement.measure(job, target, stages)
    results.save_report(job.artifacts, report)
    stages.note(f"{terminal.ending(report)}\n\nall of it: {job.artifacts.report('markdown')}")
    if report.resources and report.resources.dashboard_url:
        stages.note(f"as curves, while the cluster is up: {report.resources.dashboard_url}")
    return report


def _attempt(
    job: Job, stages: Stages, work: Callable[[], Report], facts: StackFacts, interruption: Interrupts
) -> ExitCode:
    """Do the work; where it fails, what is known of the failure is gathered and written down as its report.

    Only in here does an interrupt raise, and none leaves it: what comes after it is done undisturbed.
    """
    try:
        with interruption.armed():
            return _carry_out(job, stages, work, facts)
    except Interrupted as interrupted:
        stages.note(str(interrupted))
        results.save_interruption(job, stages.timings, str(interrupted))
        return ExitCode.INTERRUPTED


def _carry_out(job: Job, stages: Stages, work: Callable[[], Report], facts: StackFacts) -> ExitCode:
    try:
        return slo.exit_code(work().verdict)
    except LoadTestError as error:
        return _explain(job, stages, error, facts)
    except Exception as error:
        logger.exception("a defect")
        return _explain(job, stages, DefectError(error, log=job.artifacts.log), facts)


def _explain(job: Job, stages: Stages, error: LoadTestError, facts: StackFacts) -> ExitCode:
    logger.info("failed: %s", error)
    stages.error(error)
    failed_at = stages.timings
    with stages.stage("diagnose"):
        results.save_failure(job, failed_at, error, facts)
    return error.exit_code


def _put_away(job: Job, stages: Stages, stack: PulumiStack, facts: StackFacts) -> ExitCode:
    try:
        with stages.stage("destroy") as say:
            notes = destroy(stack, facts, say)
    except LoadTestError as error:
        stages.error(error)
        return ExitCode.CLEANUP_INCOMPLETE
    except Exception as error:
        logger.exception("a defect while cleaning up")
        stages.error(DefectError(error, log=job.artifacts.log))
        return ExitCode.CLEANUP_INCOMPLETE
    for note in notes:
        stages.note(note)
    return ExitCode.PASSED


def _say_how_to_reach(job: Job, stages: Stages, facts: StackFacts) -> ExitCode:
    words = ("get", "pods", "--all-namespaces")
    cluster = facts.cluster
    kubectl = Kubectl(kubeconfig_path=cluster.kubeconfig_path, context=cluster.context) if cluster else None
    reach = kubectl.arguments(*words) if kubectl else ("kubectl", *words)
    stages.note(
        f"the cluster is kept, as asked for\n"
        f"  reach it:   {shlex.join(reach)}\n"
        f"  remove it:  make destroy STACK={job.stack}"
    )
    return ExitCode.PASSED
