"""The verbs of the command line: what the help says of each, which flags it has, and what carries it out.

Leaves out the carrying out itself, and reading the command line (`cli`).
"""

import argparse
import sys
import webbrowser
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from loadtest import load_flags, verb_flags
from loadtest.adopt.flags import init_flags
from loadtest.exit_codes import ExitCode
from loadtest.job import Job
from loadtest.stages import Stages

Verb = Callable[[Job, Stages, argparse.Namespace], ExitCode]

# The verbs import what they need when they are called: `--help` and `check` stay quick.


def _check(job: Job, stages: Stages, options: argparse.Namespace) -> ExitCode:
    from loadtest.pipeline import checked

    checked(job, stages)
    return ExitCode.PASSED


def _pipeline(job: Job, stages: Stages, options: argparse.Namespace) -> ExitCode:
    from loadtest.pipeline import run_pipeline

    return run_pipeline(job, stages, keep=options.keep)


def _run(job: Job, stages: Stages, options: argparse.Namespace) -> ExitCode:
    from loadtest.pipeline import run_deployed

    return run_deployed(job, stages)


def _monitor(job: Job, stages: Stages, options: argparse.Namespace) -> ExitCode:
    from loadtest.pipeline import monitor_deployed

    return monitor_deployed(job, stages, duration_s=options.duration_s, interval_s=options.interval_s)


def _report(job: Job, stages: Stages, options: argparse.Namespace) -> ExitCode:
    from loadtest.pipeline import report_again

    code = report_again(job, stages)
    if options.open:
        _open(job.artifacts.report("page"), stages)
    return code


def _compare(job: Job, stages: Stages, options: argparse.Namespace) -> ExitCode:
    from loadtest.comparing import compare

    with stages.stage("compare"):
        told = compare(options.first, options.second, job.artifacts)
    stages.note(told)
    if options.open:
        _open(job.artifacts.two_runs, stages)
    return ExitCode.PASSED


def _open(page: Path, stages: Stages) -> None:
    """Where there is no browser the page is there all the same: no reason to fail."""
    opened = webbrowser.open(page.as_uri())
    stages.note(f"{'opened' if opened else 'no browser was found to open it'}: {page}")


def _comment(job: Job, stages: Stages, options: argparse.Namespace) -> ExitCode:
    from loadtest.pipeline import comment

    if options.pull_request is not None:
        job = replace(job, settings=replace(job.settings, pull_request=options.pull_request))
    comment(job, stages, received=options.from_artifact)
    return ExitCode.PASSED


def _command(job: Job, stages: Stages, options: argparse.Namespace) -> ExitCode:
    from loadtest.publish import carry_out

    with stages.stage("command"):
        stages.note(carry_out(job.settings, stack=job.stack))
    return ExitCode.PASSED


def _skip(job: Job, stages: Stages, options: argparse.Namespace) -> ExitCode:
    from loadtest.results import say_skipped

    with stages.stage("skip"):
        stages.note(say_skipped(job.stack, job.settings))
    return ExitCode.PASSED


def _init(job: Job, stages: Stages, options: argparse.Namespace) -> ExitCode:
    from loadtest.adopt import answers
    from loadtest.adopt.writing import adopt

    ask = (lambda words: input(f"{words}: ")) if sys.stdin.isatty() else None
    adoption = answers.read(options, job.project, ask)
    for file in adopt(job.project, options.into, adoption, force=options.force):
        stages.note(f"written: {file}")
    return ExitCode.PASSED


def _history(job: Job, stages: Stages, options: argparse.Namespace) -> ExitCode:
    from loadtest.results import keep_history

    with stages.stage("history"):
        stages.note(keep_history(job.artifacts, stack=job.stack, settings=job.settings))
    return ExitCode.PASSED


def _scan(job: Job, stages: Stages, options: argparse.Namespace) -> ExitCode:
    from loadtest.scan import words
    from loadtest.scan.scanning import Scope, scan

    scope = Scope(
        project=job.project,
        stacks=tuple(options.stacks or (job.stack,)),
        repository=options.repository,
        folder=job.artifacts.scan,
        database_repository=job.settings.trivy_db_repository,
    )
    with stages.stage("scan"):
        scanned = scan(scope)
    for line in words.lines(scanned):
        stages.note(line)
    stages.note(f"all of it: {job.artifacts.scan}")
    return ExitCode.PASSED if scanned.is_clean else ExitCode.OBJECTIVE_MISSED


def _destroy(job: Job, stages: Stages, options: argparse.Namespace) -> ExitCode:
    from loadtest.pipeline import destroy_leftovers

    return destroy_leftovers(job, stages)


@dataclass(frozen=True, kw_only=True)
class Words:
    """What the help of a verb says, and what the verb does."""

    verb: Verb
    purpose: str
    examples: tuple[str, ...]
    add_flags: Callable[[argparse.ArgumentParser], None] = lambda parser: None


VERBS: Mapping[str, Words] = {
    "check": Words(
        verb=_check,
        purpose="find everything that keeps a run from starting, all at once",
        examples=("check --stack ci", "check --stack ci --k6-script mine.js"),
        add_flags=load_flags.add_flags,
    ),
    "pipeline": Words(
        verb=_pipeline,
        purpose="check, up, health, load, monitor, report, comment, destroy",
        examples=(
            "pipeline --stack ci",
            "pipeline --stack ci --requests 2000 --concurrency 50",
            "pipeline --stack ci --keep",
        ),
        add_flags=verb_flags.pipeline_flags,
    ),
    "run": Words(
        verb=_run,
        purpose="health, load, monitor and report on a stack that is up",
        examples=("run --stack ci", "run --stack ci --requests 2000 --seed 7"),
        add_flags=verb_flags.run_flags,
    ),
    "monitor": Words(
        verb=_monitor,
        purpose="measure what a stack that is up uses from now on",
        examples=("monitor --stack ci --duration 30 --interval 2",),
        add_flags=verb_flags.monitor_flags,
    ),
    "report": Words(
        verb=_report,
        purpose="write the report again from the saved samples",
        examples=("report --stack ci", "report --stack ci --open"),
        add_flags=verb_flags.report_flags,
    ),
    "compare": Words(
        verb=_compare,
        purpose="put two runs side by side: whether they may be compared, and how far percentiles lie apart",
        examples=("compare before/report.json artifacts/report.json", "compare before artifacts --open"),
        add_flags=verb_flags.compare_flags,
    ),
    "comment": Words(
        verb=_comment,
        purpose="post the report as the pull request's one comment, never failing the run",
        examples=("comment --stack ci", "comment --stack ci --from-artifact received"),
        add_flags=verb_flags.comment_flags,
    ),
    "command": Words(
        verb=_command,
        purpose="carry out what somebody with write access commented: /loadtest rerun, /loadtest accept",
        examples=("command --stack ci",),
    ),
    "skip": Words(
        verb=_skip,
        purpose="say in the commit's status that this pull request is not measured",
        examples=("skip --stack ci",),
    ),
    "history": Words(
        verb=_history,
        purpose="add the report to the history on the repository's branch loadtest-history",
        examples=("history --stack ci",),
    ),
    "scan": Words(
        verb=_scan,
        purpose="let Trivy look at a repository, at what stacks would deploy, and at their images",
        examples=("scan --stack ci", "scan --stacks ci traefik", "scan --stack ci --repository ../shop"),
        add_flags=verb_flags.scan_flags,
    ),
    "init": Words(
        verb=_init,
        purpose="write workflows and a stack file for a service of your own into its repository",
        examples=(
            "init --stack ci --into ../shop",
            "init --stack ci --into ../shop --app shop --image shop:ci --build . --port 8080",
        ),
        add_flags=init_flags,
    ),
    "destroy": Words(
        verb=_destroy,
        purpose="take down the stack, its cluster and its state, in whatever state they are",
        examples=("destroy --stack ci",),
    ),
}
