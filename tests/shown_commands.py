"""A command line that a page shows, taken by the parsers that would take it if somebody typed it.

Stricter than `tests.commands`, which looks for names in any text: the whole line has to be one that works,
values, stacks and settings included. A program that nothing here knows how to check is a problem itself.
"""

import contextlib
import io
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

from infra.paths import PROJECT_FILE
from infra.project_file import read_yaml, schema
from loadtest import cli, load_flags
from loadtest.engines import ENGINES
from loadtest.errors import LoadTestError
from loadtest.load_options import LoadOptions
from tests.commands import PROJECT, problems_of_command
from toolchain import cli as toolchain_cli

PULUMI = PROJECT / ".venv" / "bin" / "pulumi"
# What the reader is told to make before, or brings along.
EXAMPLE_STACKS = {"shop", "kong"}
NESTED = {"config", "state", "stack"}
NOT_OURS = {"docker", "git", "source", "eval", "sysctl", "kubectl"}


def problems_of_line(line: str) -> Iterator[str]:
    words = shlex.split(line, comments=True)
    if not words:
        return
    yield from _unknown_stacks(words)
    match words:
        case ["make", *_]:
            yield from problems_of_command(line)
        case [program, "-m", module, *arguments] if Path(program).name in {"python", "python3"}:
            yield from _MODULES[module](arguments) if module in _MODULES else [f"calls {module}: what is it?"]
        case ["pulumi", *arguments]:
            yield from _pulumi(arguments)
        case [program, *_] if program not in NOT_OURS:
            yield f"calls {program}, which nobody checks"


def _unknown_stacks(words: Sequence[str]) -> Iterator[str]:
    after_flag = [second for first, second in pairwise(words) if first == "--stack"]
    for stack in (*after_flag, *(word[6:] for word in words if word.startswith("STACK="))):
        if stack not in EXAMPLE_STACKS and not (PROJECT / f"Pulumi.{stack}.yaml").is_file():
            yield f"names the stack {stack}, which is none"


def _loadtest(arguments: Sequence[str]) -> Iterator[str]:
    with _refusals() as refused:
        options = cli._parser().parse_args(arguments)
        if hasattr(options, "requests"):  # a verb that sends load
            plan = LoadOptions().plan(load_flags.read_flags(options))
            if type(plan.profile) not in ENGINES[plan.engine].profiles:
                refused.append(
                    f"sends {type(plan.profile).__name__} by {plan.engine}, which has no such profile"
                )
    yield from refused


def _toolchain(arguments: Sequence[str]) -> Iterator[str]:
    with _refusals() as refused:
        toolchain_cli._parser().parse_args(arguments)
    yield from refused


@contextlib.contextmanager
def _refusals() -> Iterator[list[str]]:
    """The list gets the reason where the command line is refused within."""
    refused: list[str] = []
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            yield refused
    except SystemExit:
        refused.append(said.getvalue().splitlines()[-1])
    except LoadTestError as error:
        refused.append(error.message)


def _pytest(arguments: Sequence[str]) -> Iterator[str]:
    for word in arguments:
        if word.startswith("tests/") and not (PROJECT / word).exists():
            yield f"tests {word}, which is not there"


def _pulumi(arguments: Sequence[str]) -> Iterator[str]:
    verb = arguments[: 2 if arguments[0] in NESTED else 1]
    help_text = _pulumi_help(*verb)
    if help_text is None:
        yield f"calls `pulumi {' '.join(verb)}`, which is no verb"
        return
    for flag in (word for word in arguments if word.startswith("--")):
        if not re.search(rf"(?<![\w-]){flag}(?![\w-])", help_text):
            yield f"names {flag} of `pulumi {' '.join(verb)}`, which is no flag of it"
    if verb == ["config", "set"]:
        key = next(word for word in arguments[2:] if not word.startswith("--"))
        if re.split(r"\W", key)[0] not in schema(read_yaml(PROJECT_FILE)):
            yield f"sets {key}, which is no setting"


@cache
def _pulumi_help(*verb: str) -> str | None:
    """None where there is no such verb: Pulumi then shows the help of what is above it, and is content."""
    told = subprocess.run(
        (PULUMI, *verb, "--help"), cwd=PROJECT, capture_output=True, text=True, check=True, timeout=60
    )
    usage = re.search(r"^Usage:\n  (.*)", told.stdout, re.MULTILINE)
    aliases = re.search(r"^Aliases:\n  (.*)", told.stdout, re.MULTILINE)
    named = f"{usage[1] if usage else ''} {aliases[1] if aliases else ''}"
    return told.stdout if re.search(rf"\b{verb[-1]}\b", named) else None


_MODULES: Mapping[str, Callable[[Sequence[str]], Iterator[str]]] = {
    "loadtest": _loadtest,
    "toolchain": _toolchain,
    "pytest": _pytest,
}
