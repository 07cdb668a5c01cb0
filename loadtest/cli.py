"""The command line: flags in, one verb carried out, one exit code out.

Leaves out which verbs there are (`verbs`). Defaults of the load come from the stack's config.
"""

import argparse
import logging
import os
import textwrap
from collections.abc import Sequence
from pathlib import Path

from loadtest import console, load_flags, logs, settings
from loadtest.artifacts import Artifacts
from loadtest.errors import DefectError, LoadTestError, MachineError
from loadtest.exit_codes import ExitCode
from loadtest.job import HEALTH_TIMEOUT_S, Job
from loadtest.signals import Interrupted
from loadtest.stages import Stages
from loadtest.verbs import VERBS, Verb, Words

logger = logging.getLogger(__name__)


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
    for name, words in VERBS.items():
        words.add_flags(_verb(verbs, name, words))
    return parser


def _verb(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, words: Words
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


def _examples(*lines: str) -> str:
    return "examples:\n" + textwrap.indent("\n".join(f"python -m loadtest {one}" for one in lines), "  ")
