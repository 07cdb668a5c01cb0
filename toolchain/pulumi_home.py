"""What makes the plain `pulumi` commands work in this project: defaults, a wrapper, an initialised stack.

Defaults apply only where the user has set nothing: a file backend in the project, and a passphrase that is
known to everybody, which is right for stacks that hold nothing but a throw-away cluster.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from toolchain.cache import Cache
from toolchain.errors import CommandError, ToolchainError, WrongUseError
from toolchain.placing import Places
from toolchain.process import Processes

DEFAULT_PASSPHRASE = "loadproof"  # noqa: S105 - no secret: see the module's docstring

_PROJECT_NAME = re.compile(r"^name:\s*['\"]?([\w.-]+)", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class PulumiHome:
    """The engine's surroundings in one clone of the project."""

    places: Places
    engine: Path
    """The real command, in its part's folder, with the language host beside it."""
    environment: Mapping[str, str]
    stack: str | None
    """The stack whose state is to be there, if any."""

    @property
    def state(self) -> Path:
        return self.places.project / ".pulumi-state"

    @property
    def temporary(self) -> Path:
        return self.places.project / ".toolchain" / "tmp"

    @property
    def wrapper(self) -> Path:
        return self.places.commands / "pulumi"

    def defaults(self) -> Mapping[str, str]:
        """The variables that the commands need, as far as the user has not set them."""
        wanted = {
            "PULUMI_HOME": str(self.places.pulumi_home),
            "PULUMI_BACKEND_URL": f"file://{self.state}",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            # Another installation's plugins on PATH would win over the pinned ones.
            "PULUMI_IGNORE_AMBIENT_PLUGINS": "true",
        }
        if "PULUMI_CONFIG_PASSPHRASE_FILE" not in self.environment:
            wanted["PULUMI_CONFIG_PASSPHRASE"] = DEFAULT_PASSPHRASE
        return {name: self.environment.get(name, value) for name, value in wanted.items()}

    def is_ready(self) -> bool:
        return self._wrapper_is_current() and self._missing_stack() is None

    def make_ready(self, *, cache: Cache, processes: Processes) -> None:
        """Write the wrapper and initialise the stack; each would take the engine a third of a second."""
        self.state.mkdir(mode=0o700, exist_ok=True)
        self.places.pulumi_home.mkdir(parents=True, exist_ok=True)
        if not self._wrapper_is_current():
            fresh = self.wrapper.with_name(".pulumi.fresh")
            fresh.write_text(self._wrapper_text(), encoding="utf-8")
            fresh.chmod(0o755)
            fresh.replace(self.wrapper)
        if stack := self._missing_stack():
            self._initialise(stack, cache, processes)

    def _wrapper_is_current(self) -> bool:
        return self.wrapper.is_file() and self.wrapper.read_text(encoding="utf-8") == self._wrapper_text()

    def _wrapper_text(self) -> str:
        own = dict(replace(self, environment={}).defaults())
        passphrase = _default("PULUMI_CONFIG_PASSPHRASE", own.pop("PULUMI_CONFIG_PASSPHRASE"))
        return f"""#!/bin/sh
# Written by `python3 -m toolchain setup`: the real engine, with this project's defaults.
{"".join(_default(name, value) for name, value in own.items())}
if [ -z "${{PULUMI_CONFIG_PASSPHRASE_FILE+set}}" ]; then
    {passphrase}fi
# The language host takes the first Python on PATH.
PATH={shlex.quote(str(self.places.commands))}:$PATH
# The Kubernetes plugin leaves copies of the kubeconfig among the temporary files: here they are found again.
TMPDIR={shlex.quote(str(self.temporary))}
# The engine and its plugins end soon, and are short of CPU rather than of memory.
GOGC=${{GOGC-400}}
export PATH TMPDIR GOGC
mkdir -p -m 700 "$TMPDIR"
exec {shlex.quote(str(self.engine))} "$@"
"""

    def _missing_stack(self) -> str | None:
        """The stack, where its config stands in the project and its state is still to be begun."""
        if self.defaults()["PULUMI_BACKEND_URL"] != f"file://{self.state}":
            return None  # a backend of the user's own, with stacks of the user's own
        if self.stack is None or not self._config_of(self.stack).exists():
            return None
        there = self.state / ".pulumi" / "stacks" / _project_name(self.places.project) / f"{self.stack}.json"
        return None if there.exists() else self.stack

    def _config_of(self, stack: str) -> Path:
        return self.places.project / f"Pulumi.{stack}.yaml"

    def _initialise(self, stack: str, cache: Cache, processes: Processes) -> None:
        committed = self._config_of(stack)
        before = committed.read_bytes()
        command = (str(self.wrapper), "stack", "init", stack, "--non-interactive", "--no-select")
        try:
            processes.run(
                command, log=cache.logs / "pulumi.log", what=f"stack {stack}", cwd=self.places.project
            )
        except CommandError as error:
            hint = (
                f"{committed.name} was made with another passphrase than PULUMI_CONFIG_PASSPHRASE: unset it"
            )
            wrong = "passphrase" in error.message
            raise ToolchainError(error.message, hint=hint if wrong else error.hint) from error
        if committed.read_bytes() != before:
            committed.write_bytes(before)
            raise WrongUseError(
                f"{committed.name} holds no encryptionsalt, so initialising its stack changed it (undone)",
                hint=f"`pulumi stack select {stack} && pulumi config set x y --secret`, then commit the salt",
            )


def _project_name(project: Path) -> str:
    try:
        text = (project / "Pulumi.yaml").read_text(encoding="utf-8")
    except OSError as error:
        raise WrongUseError(
            f"Pulumi.yaml cannot be read: {error}", hint="restore it from version control"
        ) from error
    match = _PROJECT_NAME.search(text)
    if match is None:
        raise WrongUseError("Pulumi.yaml names no project", hint="add a line `name: ...`")
    return match.group(1)


def _default(name: str, value: str) -> str:
    """A line of shell that sets a variable unless it is set; an assignment alone is not split at spaces."""
    return f"{name}=${{{name}-{shlex.quote(value)}}}; export {name}\n"
