"""The kubectl program as a typed value: every call has a time limit and an error with a remedy.

Leaves out what the answers mean (`objects`, `states`) and calls that go on for long (`port_forward`).
"""

import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import msgspec

from loadtest.errors import UnhealthyError
from loadtest.process import program_missing
from loadtest.target import ClusterTarget

_ERROR_CHARACTERS = 500
_EVERYWHERE = "--all-namespaces"
_Kind = TypeVar("_Kind")


class _List(msgspec.Struct):
    items: list[msgspec.Raw]


class Shortcut(Protocol):
    """A shorter way to some of what kubectl tells; None where it is no way, and kubectl has to be asked.

    Each takes `timeout_s` at most.
    """

    def items(self, words: Sequence[str], timeout_s: float) -> Sequence[bytes] | None:
        """The objects that `kubectl get <words>` finds, as JSON."""
        ...

    def log(self, of: "ContainerLog", timeout_s: float) -> str | None: ...


@dataclass(frozen=True, kw_only=True)
class ContainerLog:
    """What a container has said within the last `since_s`, by the clock of its node."""

    namespace: str
    pod: str
    container: str
    since_s: int


@dataclass(frozen=True, kw_only=True)
class Kubectl:
    """How to speak to one cluster; nothing is asked until a method is called.

    `namespaces` are those that may be looked into, None for all: `--all-namespaces` then means these.
    """

    kubeconfig_path: str | None  # None: where kubectl looks for it
    context: str
    namespaces: tuple[str, ...] | None = None
    program: str = "kubectl"
    shortcut: Shortcut | None = None

    def arguments(self, *words: str) -> list[str]:
        kubeconfig = () if self.kubeconfig_path is None else ("--kubeconfig", self.kubeconfig_path)
        return [self.program, *kubeconfig, "--context", self.context, *words]

    def text(self, *words: str, stdin: str | None = None, timeout_s: float = 10.0) -> str:
        """What the call prints. Raises UnhealthyError where the cluster refuses or does not answer."""
        return "".join(self._text(*call, stdin=stdin, timeout_s=timeout_s) for call in self._calls(words))

    def _text(self, *words: str, timeout_s: float, stdin: str | None = None) -> str:
        done = self._run(*words, stdin=stdin, timeout_s=timeout_s)
        if done.returncode != 0:
            raise UnhealthyError(
                f"`kubectl {' '.join(words)}` failed: {_last(done.stderr)}",
                hint="Is the cluster up, and is the kubeconfig of this run? `loadtest check` tells.",
            )
        return done.stdout

    def items(self, kind: type[_Kind], *words: str, timeout_s: float = 10.0) -> list[_Kind]:
        """The objects `kubectl get <words>` finds, read as `kind`."""
        calls = self._calls(words)
        return [item for call in calls for item in self._items(kind, *call, timeout_s=timeout_s)]

    def _items(self, kind: type[_Kind], *words: str, timeout_s: float) -> list[_Kind]:
        try:
            return [msgspec.json.decode(item, type=kind) for item in self._found(words, timeout_s)]
        except msgspec.MsgspecError as error:
            raise UnhealthyError(
                f"`kubectl get {' '.join(words)}` answered something unexpected: {error}",
                hint="Does kubectl's version fit the cluster's?",
            ) from error

    def _found(self, words: tuple[str, ...], timeout_s: float) -> Sequence[bytes | msgspec.Raw]:
        began_s = time.monotonic()
        found = self.shortcut.items(words, timeout_s / 2) if self.shortcut else None
        if found is not None:
            return found
        left_s = timeout_s - (time.monotonic() - began_s)
        text = self._text("get", *words, "-o", "json", timeout_s=left_s)
        return msgspec.json.decode(text, type=_List).items

    def log(self, of: ContainerLog, *, timeout_s: float = 10.0) -> str:
        """Raises UnhealthyError where it may not be read."""
        began_s = time.monotonic()
        found = self.shortcut.log(of, timeout_s / 2) if self.shortcut else None
        if found is not None:
            return found
        left_s = timeout_s - (time.monotonic() - began_s)
        which = (of.pod, f"--namespace={of.namespace}", f"--container={of.container}")
        return self.text("logs", *which, f"--since={of.since_s}s", timeout_s=left_s)

    def _calls(self, words: tuple[str, ...]) -> list[tuple[str, ...]]:
        if self.namespaces is None or _EVERYWHERE not in words:
            return [words]
        return [
            tuple(f"--namespace={name}" if word == _EVERYWHERE else word for word in words)
            for name in self.namespaces
        ]

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """A call that goes on until its caller ends it; both its output streams come as one."""
        try:
            return subprocess.Popen(
                self.arguments(*words),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,  # a Ctrl-C is for this program, which decides what it means
            )
        except FileNotFoundError as error:
            raise program_missing(self.program) from error

    def _run(self, *words: str, stdin: str | None, timeout_s: float) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                self.arguments(*words),
                input=stdin or "",
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout_s,
                start_new_session=True,
            )
        except FileNotFoundError as error:
            raise program_missing(self.program) from error
        except subprocess.TimeoutExpired as error:
            raise UnhealthyError(
                f"`kubectl {' '.join(words)}` gave no answer within {timeout_s:.1f} s",
                hint="The cluster's API server does not answer; diagnostics show the state of its nodes.",
            ) from error


def kubectl_for(cluster: ClusterTarget) -> Kubectl:
    return Kubectl(
        kubeconfig_path=cluster.kubeconfig_path, context=cluster.context, namespaces=cluster.namespaces
    )


def _last(stderr: str) -> str:
    return stderr.strip()[-_ERROR_CHARACTERS:] or "it gave no reason"
