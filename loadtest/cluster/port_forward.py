"""A loopback port that leads into the cluster, for as long as a `with` block lasts.

For what has no port of its own on this machine. kubectl picks the free port itself, so that none can be
taken between asking and using.
"""

import queue
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import IO

from loadtest.cluster.kubectl import Kubectl
from loadtest.errors import MonitoringError

_FORWARDING = re.compile(r"^Forwarding from 127\.0\.0\.1:(\d+) -> ")
_END_S = 5.0


@dataclass(frozen=True, kw_only=True)
class PodPort:
    namespace: str
    pod: str
    port: int


@dataclass(kw_only=True)
class _Way:
    """`opened` holds what is to be ended; `port` is None where there is nothing."""

    opened: ExitStack
    port: int | None = None
    changing: threading.Lock = field(default_factory=threading.Lock)


class KeptForwards:
    """Ways to ports of pods, each opened when it is first asked for and kept: to open one takes a while."""

    def __init__(self, kubectl: Kubectl, opened: ExitStack) -> None:
        self._kubectl, self._opened = kubectl, opened
        self._ways: dict[PodPort, _Way] = {}
        self._adding = threading.Lock()

    def port(self, to: PodPort, timeout_s: float) -> int:
        """The loopback port that leads there. Raises MonitoringError where there is none in time."""
        until_s = time.monotonic() + timeout_s
        way = self._way(to)
        if not way.changing.acquire(timeout=timeout_s):
            raise _failed(f"{to.pod}:{to.port}", "another one is still being opened")
        try:
            if way.port is None:
                way.port = way.opened.enter_context(self._forward(to, until_s - time.monotonic()))
            return way.port
        finally:
            way.changing.release()

    def drop(self, to: PodPort) -> None:
        """For one that does not lead there any more: who asks next gets another."""
        way = self._way(to)
        with way.changing:
            way.port = None
            way.opened.close()

    def _way(self, to: PodPort) -> _Way:
        with self._adding:
            if to not in self._ways:
                self._ways[to] = _Way(opened=self._opened.enter_context(ExitStack()))
            return self._ways[to]

    def _forward(self, to: PodPort, timeout_s: float) -> AbstractContextManager[int]:
        return forwarded_port(
            self._kubectl, namespace=to.namespace, to=f"pod/{to.pod}", port=to.port, timeout_s=timeout_s
        )


@contextmanager
def kept_forwards(kubectl: Kubectl) -> Iterator[KeptForwards]:
    """Within, none has to be opened twice; at the end they are all closed."""
    with ExitStack() as opened:
        yield KeptForwards(kubectl, opened)


@contextmanager
def forwarded_port(
    kubectl: Kubectl,
    *,
    namespace: str,
    to: str,
    port: int,
    local_port: int | None = None,
    timeout_s: float = 10.0,
) -> Iterator[int]:
    """The loopback port that leads to a port of `to`, as `service/foo`; a free one unless told.

    Raises MonitoringError where it does not come up in time.
    """
    child = kubectl.start(
        *("--namespace", namespace, "port-forward", "--address", "127.0.0.1"),
        *(to, f"{local_port or ''}:{port}"),
    )
    try:
        yield _port(_lines(child), f"{to}:{port} of {namespace}", time.monotonic() + timeout_s)
    finally:
        _end(child)


def _lines(child: subprocess.Popen[str]) -> "queue.Queue[str | None]":
    """The program's output, read as it comes so that it never blocks on a full pipe; None at its end."""
    lines: queue.Queue[str | None] = queue.Queue()

    def read(stream: IO[str]) -> None:
        with stream:
            for line in stream:
                lines.put(line.rstrip())
        lines.put(None)

    if child.stdout:
        threading.Thread(target=read, args=(child.stdout,), daemon=True).start()
    return lines


def _port(lines: "queue.Queue[str | None]", name: str, deadline_s: float) -> int:
    said = "it gave no reason"
    while True:
        try:
            line = lines.get(timeout=max(0.0, deadline_s - time.monotonic()))
        except queue.Empty:
            raise _failed(name, f"not ready in time; last it said: {said}") from None
        if line is None:
            raise _failed(name, said)
        if found := _FORWARDING.match(line):
            return int(found[1])
        said = line[:500]


def _failed(name: str, reason: str) -> MonitoringError:
    return MonitoringError(
        f"no port-forward to {name}: {reason}",
        hint="Does it exist, and does a pod that runs stand behind it?",
    )


def _end(child: subprocess.Popen[str]) -> None:
    child.terminate()
    try:
        child.wait(_END_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
