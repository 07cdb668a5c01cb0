"""What `init` is told by flags, finds out by itself, or asks a person at a terminal."""

import argparse
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from loadtest.adopt.flags import QUESTIONS
from loadtest.adopt.model import Adoption
from loadtest.errors import UsageError

Ask = Callable[[str], str]
_GITHUB = re.compile(r"(?:https://|ssh://git@|git@)github\.com[:/]([\w.-]+/[\w.-]+?)(?:\.git)?/?")


_BUILD = r"[\w.-]+(/[\w.-]+)*"
_STACK = r"[a-z0-9][a-z0-9-]*"


def read(options: argparse.Namespace, project: Path, ask: Ask | None) -> Adoption:
    """Raises UsageError with every answer that is missing or makes no sense."""
    given = {name: getattr(options, name) for name in QUESTIONS}
    given["source"] = given["source"] or _source(project)
    given["commit"] = given["commit"] or _git(project, "rev-parse", "HEAD")
    given["branch"] = given["branch"] or _default_branch(options.into)
    if ask:
        given = {name: value or ask(QUESTIONS[name].words).strip() for name, value in given.items()}
    problems = [*_problems(given), *_problems_of_names(options)]
    if problems:
        listed = "\n".join(f"  - {problem}" for problem in problems)
        raise UsageError(f"this is not enough to go on:\n{listed}", hint="`--help` explains the flags.")
    answers = {name: value or "" for name, value in given.items()}
    port = int(answers.pop("port"))
    return Adoption(**answers, port=port, stack=options.stack, build=options.build)


def _problems(given: Mapping[str, str | None]) -> list[str]:
    return [
        f"--{name.replace('_', '-')} ({question.words}) "
        + (f"is {given[name]!r}, it has to be {question.rule}" if given[name] else "is missing")
        for name, question in QUESTIONS.items()
        if not re.fullmatch(question.pattern, given[name] or "")
    ]


def _problems_of_names(options: argparse.Namespace) -> list[str]:
    wrong = []
    if not re.fullmatch(_STACK, options.stack):
        wrong.append(f"--stack is {options.stack!r}, it has to be small letters, digits and hyphens")
    if options.build is not None and (not re.fullmatch(_BUILD, options.build) or ".." in options.build):
        wrong.append(f"--build is {options.build!r}, it has to be a folder within the repository")
    return wrong


def _source(project: Path) -> str | None:
    found = _GITHUB.fullmatch(_git(project, "remote", "get-url", "origin") or "")
    return found[1] if found else None


def _default_branch(into: Path) -> str:
    """As its clone remembers it, which one made by `git init` does not."""
    return (_git(into, "symbolic-ref", "--short", "refs/remotes/origin/HEAD") or "/main").partition("/")[2]


def _git(project: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ("git", "-C", str(project), *arguments), capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
