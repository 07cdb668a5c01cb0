"""What a stack needs, as the program says: the one question that set-up asks the project itself.

The program reads the stack's configuration in its own environment, so the question has no answer before that
is there. What the parts are needed for stays the program's business.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from toolchain.errors import ToolchainError, WrongUseError

_TIMEOUT_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Needs:
    """Parts by their names; images that no part stands for, with the setting that names each."""

    parts: tuple[str, ...] = ()
    images: Mapping[str, str] = field(default_factory=dict)


def needs_of(stack: str, project: Path) -> Needs:
    """Asks `infra.needs`; a configuration that cannot be used is an error with everything wrong with it."""
    answer = _ask(stack, project)
    try:
        told = json.loads(answer)
        problems = tuple(told["problems"])
        needs = Needs(parts=tuple(told["parts"]), images=dict(told["images"]))
    except (ValueError, KeyError, TypeError) as error:
        raise _no_answer(stack, repr(error)) from error
    if problems:
        listed = "".join(f"\n    {problem}" for problem in problems)
        raise WrongUseError(
            f"the configuration of stack {stack} cannot be used:{listed}",
            hint=f"correct Pulumi.{stack}.yaml; Pulumi.yaml explains the settings",
        )
    return needs


def _ask(stack: str, project: Path) -> str:
    command = (str(project / ".venv" / "bin" / "python"), "-m", "infra.needs", f"--stack={stack}")
    try:
        done = subprocess.run(
            command, cwd=project, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _no_answer(stack, str(error)) from error
    if not done.stdout:
        raise _no_answer(stack, "".join(done.stderr.strip().splitlines()[-1:]))
    return done.stdout


def _no_answer(stack: str, reason: str) -> ToolchainError:
    return ToolchainError(
        f"the program does not say what stack {stack} needs: {reason}",
        hint=f"`.venv/bin/python -m infra.needs --stack {stack}` shows why",
    )
