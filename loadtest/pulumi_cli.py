"""The few `pulumi` commands a run needs, each as one call. Leaves out what the program declares.

The command line is used rather than the Automation API: its process can be stopped with all its plugins, its
output goes to a log as it comes, and users see the very commands they can type themselves (docs/adr/0002).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from loadtest import process
from loadtest.errors import CleanupError, DeployError, LoadTestError
from loadtest.process import ProgramFailedError, Watcher

UP_TIMEOUT_S = 900.0
DESTROY_TIMEOUT_S = 300.0
_QUERY_TIMEOUT_S = 60.0
_LOCKED = "the stack is currently locked"
STACK = "pulumi:pulumi:Stack"
_MISSING = "no stack named"
# Whether the engine writes what it knows at a command's end alone, and not twice for each resource as well.
_AT_THE_END = "PULUMI_SKIP_CHECKPOINTS"


class StackLockedError(CleanupError):
    """Another `pulumi` holds the stack's state, or died holding it."""


@dataclass(frozen=True, kw_only=True)
class Resource:
    type: str
    outputs: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Deployment:
    resources: tuple[Resource, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Export:
    deployment: _Deployment


@dataclass(kw_only=True)
class PulumiStack:
    """What others change meanwhile is not seen: whoever changes it here holds the run's own lock.

    `watcher` hears of every program that is under way. Without `checkpoints` a `pulumi` that is killed leaves
    the state as it was before: for whoever finds what it made by other means (docs/adr/0014).
    """

    project: Path
    stack: str
    logs: Path
    watcher: Watcher | None = None
    checkpoints: bool = True
    _resources: tuple[Resource, ...] | None = field(default=None, init=False, repr=False)

    def up(self, on_line: Callable[[str], None]) -> None:
        done = self._pulumi(
            "up", "--yes", "--skip-preview", "--suppress-outputs", timeout_s=UP_TIMEOUT_S, on_line=on_line
        )
        if not done.succeeded:
            why = _why(done.tail) or f"All of it stands in {self.logs / 'pulumi-up.log'}."
            raise DeployError(
                "the stack did not come up" + (f" within {UP_TIMEOUT_S:.0f} s" if done.timed_out else ""),
                hint=f"{why}\n`make setup STACK={self.stack}` begins its state." if _MISSING in why else why,
            )

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs as `pulumi stack output --json` has them; secrets are encrypted.

        Empty where there are none. Raises DeployError where they cannot be read.
        """
        try:
            resources = self.resources()
        except LoadTestError as error:
            raise DeployError("the stack's outputs cannot be read", hint=error.hint) from error
        return next((one.outputs for one in resources if one.type == STACK), {})

    def destroy(self) -> None:
        done = self._pulumi("destroy", "--yes", "--skip-preview", timeout_s=DESTROY_TIMEOUT_S)
        why = _why(done.tail)
        if not done.succeeded and _MISSING not in why:  # where it was never begun there is nothing
            raise (StackLockedError if _LOCKED in why else CleanupError)("`pulumi destroy` failed", hint=why)

    def resources(self) -> tuple[Resource, ...]:
        """What its state names, read once until it changes.

        Raises LoadTestError where it cannot be read.
        """
        if self._resources is None:
            self._resources = self._exported()
        return self._resources

    def _exported(self) -> tuple[Resource, ...]:
        try:
            text = process.answer(
                ("pulumi", "stack", "export", "--stack", self.stack, "--non-interactive"),
                folder=self.project,
                timeout_s=_QUERY_TIMEOUT_S,
            )
        except ProgramFailedError as error:
            if _MISSING in error.hint:
                return ()
            raise
        try:
            return msgspec.json.decode(text, type=_Export).deployment.resources
        except msgspec.DecodeError as error:
            raise CleanupError(f"`pulumi stack export` is not to be understood: {error}") from error

    def release_lock(self) -> None:
        """Drop the lock that a dead `pulumi` left. Only for a caller that holds this run's own lock."""
        self._pulumi("cancel", "--yes", timeout_s=_QUERY_TIMEOUT_S)

    def forget(self) -> None:
        """Drop every resource from the state: for a cluster that was taken down by other means."""
        done = self._pulumi("state", "delete", "--all", "--force", "--yes", timeout_s=_QUERY_TIMEOUT_S)
        if not done.succeeded:
            raise CleanupError("the stack's state could not be emptied", hint=_why(done.tail))

    def _pulumi(
        self, *command: str, timeout_s: float, on_line: Callable[[str], None] = lambda line: None
    ) -> process.Completed:
        """What changes the stack's state."""
        self._resources = None
        return process.run(
            ("pulumi", *command, "--stack", self.stack, "--non-interactive", "--color", "never"),
            folder=self.project,
            log=self.logs / f"pulumi-{command[0]}.log",
            timeout_s=timeout_s,
            watcher=self.watcher,
            on_line=on_line,
            settings={_AT_THE_END: "false" if self.checkpoints else "true"},
        )


def _why(tail: tuple[str, ...]) -> str:
    """The part of pulumi's output that says what went wrong: from its Diagnostics on, at most 20 lines."""
    start = next((at for at, line in enumerate(tail) if line.startswith("Diagnostics:")), 0)
    return "\n".join(tail[start:][-20:]).strip()
