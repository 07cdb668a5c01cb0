"""Runs other programs: output to a log, errors with its last lines, nothing left running after an interrupt.

Every child leads a process group of its own, so that what it started in turn can be ended with it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from toolchain.errors import CommandError, Interrupted

_TAIL_LINES = 12
_TAIL_BYTES = 8_192
_GRACE_S = 5.0

_REMEDIES = (
    (
        ("no space left on device", "disk quota exceeded"),
        "free some disk space, or point LOADPROOF_CACHE at a larger disk",
    ),
    (
        (
            "no such host",
            "temporary failure in name resolution",
            "temporary failure resolving",
            "could not resolve",
            "network is unreachable",
            "connection refused",
            "i/o timeout",
            "connection timed out",
            "newconnectionerror",
        ),
        "a package registry cannot be reached: check the network and the proxy and mirror settings "
        "(HTTPS_PROXY, GOPROXY, pip's index-url, apt's sources)",
    ),
)


class Processes:
    """The children that run now; they end together when a stop is asked for."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._guard = threading.Lock()
        self._stopping = False

    def run(
        self,
        args: Sequence[str],
        *,
        log: Path,
        what: str,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
    ) -> str:
        """Run to the end and return what it printed on stdout; `env` is added to this process's own."""
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as sink:
            sink.write(f"$ {' '.join(args)}\n".encode())
            sink.flush()
            start = sink.tell()
            try:
                child = self._start(args, cwd=cwd, env=env, stdin=stdin, log=sink)
            except OSError as error:
                raise CommandError(
                    f"{what}: {args[0]} cannot be started: {error}", hint=f"install {args[0]}"
                ) from error
            try:
                stdout, _ = child.communicate(stdin)
            finally:
                self._end(child)
            sink.write(stdout)
        if child.returncode != 0:
            self.go_on()
            raise _failure(what, args, child.returncode, log, start)
        return stdout.decode(errors="replace")

    def stop(self) -> None:
        """End every child and let none start any more."""
        with self._guard:
            self._stopping = True
            running = tuple(self._running)
        for child in running:
            self._end(child)

    def go_on(self) -> None:
        """Raise if a stop was asked for: long work of this process's own calls it now and then."""
        if self._stopping:
            raise Interrupted

    def _start(
        self,
        args: Sequence[str],
        *,
        cwd: Path | None,
        env: Mapping[str, str] | None,
        stdin: bytes | None,
        log: IO[bytes],
    ) -> subprocess.Popen[bytes]:
        with self._guard:
            self.go_on()
            child = subprocess.Popen(
                list(args),
                cwd=cwd,
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
            self._running.add(child)
            return child

    def _end(self, child: subprocess.Popen[bytes]) -> None:
        if child.poll() is None:
            _signal_group(child, signal.SIGTERM)
            try:
                child.wait(_GRACE_S)
            except subprocess.TimeoutExpired:
                _signal_group(child, signal.SIGKILL)
                child.wait()
        with self._guard:
            self._running.discard(child)


def _signal_group(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(child.pid, number)
    except ProcessLookupError:
        return


def _failure(what: str, args: Sequence[str], code: int, log: Path, start: int) -> CommandError:
    tail = _tail(log, start)
    lowered = tail.lower()
    remedy = next(
        (hint for words, hint in _REMEDIES if any(word in lowered for word in words)),
        "read the log; what is finished is kept, so running the same again goes on from here",
    )
    lines = "\n".join(f"    {line}" for line in tail.splitlines()[-_TAIL_LINES:])
    return CommandError(
        f"{what}: `{' '.join(args[:3])}{' ...' if len(args) > 3 else ''}` ended with {code}\n{lines}",
        hint=f"{remedy}\n(whole output: {log})",
    )


def _tail(log: Path, start: int) -> str:
    with log.open("rb") as source:
        size = source.seek(0, os.SEEK_END)
        source.seek(max(start, size - _TAIL_BYTES))
        return source.read().decode(errors="replace")
