"""The command line: flags in, one verb carried out, one exit code out.

Leaves out what the verbs do. Defaults of the load come from the stack's config; a flag overrides one of them.
"""

import argparse
import logging
import os
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from loadtest import console, load_flags, logs, settings
from loadtest.artifacts import Artifacts
from loadtest.errors import DefectError, LoadTestError, MachineError
from loadtest.exit_codes import ExitCode
from loadtest.job import HEALTH_TIMEOUT_S, Job
from loadtest.signals import Interrupted
from loadtest.stages import Stages

logger = logging.getLogger(__name__)

Verb = Callable[[Job, Stages, argparse.Namespace], ExitCode]


def main(arguments: Sequence[str] | None = None) -> ExitCode:
    options = _parser().parse_args(arguments)
    environment = settings.read(os.environ)
    stages = Stages(console.progress())
    verb: Verb = options.verb
    try:
        job = _job(options, environment)
        _log_to(job)
        return verb(job, stages, options)
    except LoadTestError as error:
        logger.info("ended: %s", error)
        return _failed(stages, error)
    except (KeyboardInterrupt, Interrupted):
        return ExitCode.INTERRUPTED
    except Exception as error:
        logger.exception("a defect")
        return _failed(stages, DefectError(error, log=job.artifacts.log))


def _log_to(job: Job) -> None:
    try:
        logs.log_to(job.artifacts.log, secrets=job.settings.secrets())
    except OSError as error:
        raise MachineError(
            f"{job.artifacts.root} cannot be written: {error.strerror}",
            hint="--artifacts names another folder for results.",
        ) from error


def _failed(stages: Stages, error: LoadTestError) -> ExitCode:
    stages.error(error)
    return error.exit_code


def _job(options: argparse.Namespace, environment: settings.Settings) -> Job:
    return Job(
        project=Path.cwd(),
        stack=options.stack,
        artifacts=Artifacts(root=options.artifacts.resolve()),
        health_timeout_s=getattr(options, "health_timeout_s", HEALTH_TIMEOUT_S),
        load_flags=load_flags.read_flags(options),
        settings=environment,
    )


# The verbs import what they need when they are called: `--help` and `check` stay quick.


def _check(job: Job, stages: Stages, options: argparse.Namespace) -> ExitCode:
    from loadtest.check import check

    with stages.stage("check"):
        check(job.project, job.stack, job.load_flags)
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

    return report_again(job, stages)


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


def _destroy(job: Job, stages: Stages, options: argparse.Namespace) -> ExitCode:
    from loadtest.pipeline import destroy_leftovers

    return destroy_leftovers(job, stages)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m loadtest",
        description="Load a deployed stack through its ingress, measure it, report it, and take it down.",
        epilog=_examples(
            "pipeline --stack ci            everything, from check to destroy; what `make run` calls",
            "run --stack ci --requests 2000  the part after `pulumi up`, with more load",
            "destroy --stack ci             take down what an interrupted run left",
        )
        + "\n\nexit codes:\n"
        + "\n".join(f"  {code.value:>3}  {code.name.lower().replace('_', ' ')}" for code in ExitCode),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    for name, words in _verbs().items():
        words.add_flags(_verb(verbs, name, words))
    return parser


@dataclass(frozen=True, kw_only=True)
class _Words:
    """What the help of a verb says, and what the verb does."""

    verb: Verb
    purpose: str
    examples: tuple[str, ...]
    add_flags: Callable[[argparse.ArgumentParser], None] = lambda parser: None


def _verbs() -> Mapping[str, _Words]:
    return {
        "check": _Words(
            verb=_check,
            purpose="find everything that keeps a run from starting, all at once",
            examples=("check --stack ci", "check --stack ci --k6-script mine.js"),
            add_flags=load_flags.add_flags,
        ),
        "pipeline": _Words(
            verb=_pipeline,
            purpose="check, up, health, load, monitor, report, comment, destroy",
            examples=(
                "pipeline --stack ci",
                "pipeline --stack ci --requests 2000 --concurrency 50",
                "pipeline --stack ci --keep",
            ),
            add_flags=_pipeline_flags,
        ),
        "run": _Words(
            verb=_run,
            purpose="health, load, monitor and report on a stack that is up",
            examples=("run --stack ci", "run --stack ci --requests 2000 --seed 7"),
            add_flags=_load_flags,
        ),
        "monitor": _Words(
            verb=_monitor,
            purpose="measure what a stack that is up uses from now on",
            examples=("monitor --stack ci --duration 30 --interval 2",),
            add_flags=_monitor_flags,
        ),
        "report": _Words(
            verb=_report,
            purpose="write the report again from the saved samples",
            examples=("report --stack ci",),
        ),
        "comment": _Words(
            verb=_comment,
            purpose="post the report as the pull request's one comment, never failing the run",
            examples=("comment --stack ci", "comment --stack ci --from-artifact received/artifacts"),
            add_flags=_comment_flags,
        ),
        "command": _Words(
            verb=_command,
            purpose="carry out what somebody with write access commented: /loadtest rerun, /loadtest accept",
            examples=("command --stack ci",),
        ),
        "skip": _Words(
            verb=_skip,
            purpose="say in the commit's status that this pull request is not measured",
            examples=("skip --stack ci",),
        ),
        "destroy": _Words(
            verb=_destroy,
            purpose="take down the stack, its cluster and its state, in whatever state they are",
            examples=("destroy --stack ci",),
        ),
    }


def _verb(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, words: _Words
) -> argparse.ArgumentParser:
    parser = verbs.add_parser(
        name,
        help=words.purpose,
        description=words.purpose[0].upper() + words.purpose[1:] + ".",
        epilog=_examples(*words.examples),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(verb=words.verb)
    parser.add_argument("--stack", default="ci", metavar="NAME", help="Pulumi stack (default: %(default)s)")
    parser.add_argument(
        "--artifacts",
        default=Path("artifacts"),
        type=Path,
        metavar="DIR",
        help="where results are kept (default: %(default)s)",
    )
    return parser


def _pipeline_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--keep", action="store_true", help="leave the cluster up and say how to reach it")
    _load_flags(parser)


def _load_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--health-timeout",
        dest="health_timeout_s",
        type=_seconds,
        default=HEALTH_TIMEOUT_S,
        metavar="S",
        help="how long the stack may take to become healthy (default: %(default)g)",
    )
    load_flags.add_flags(parser)


def _monitor_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--duration",
        dest="duration_s",
        type=_seconds,
        default=30.0,
        metavar="S",
        help="how long to measure (default: %(default)g)",
    )
    parser.add_argument(
        "--interval",
        dest="interval_s",
        type=_seconds,
        default=2.0,
        metavar="S",
        help="time between two samples (default: %(default)g)",
    )


def _comment_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--from-artifact",
        type=Path,
        metavar="DIR",
        help="post the report in this folder, which another workflow run left and nobody vouches for",
    )
    parser.add_argument(
        "--pull-request",
        type=_pull_request,
        metavar="N",
        help="the pull request's number [the event's]",
    )


def _pull_request(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,9}", text):
        raise argparse.ArgumentTypeError(f"{text} is no pull request's number")
    return int(text)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= 86_400:
        raise argparse.ArgumentTypeError(f"{text} is not above 0 and at most 86400")
    return seconds


def _examples(*lines: str) -> str:
    return "examples:\n" + textwrap.indent("\n".join(f"python -m loadtest {one}" for one in lines), "  ")
