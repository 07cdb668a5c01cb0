"""Running another program so that it never outlives its purpose: own process group, time limit, log.

A program is stopped gently first (SIGINT to the program alone, which then stops its own children) and its
whole group by force after a grace period.
"""

import contextlib
import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from loadtest.errors import MachineError

logger = logging.getLogger(__name__)

GRACE_S = 40.0  # what `pulumi up` may take to stop after an interrupt: it waits for the step it is in
_TAIL_LINES = 40


class ProgramFailedError(MachineError):
    """The program is there and said no."""


class Watcher(Protocol):
    """Hears of the one program that is under way, so that someone else can end it should this process die."""

    def started(self, pid: int) -> None: ...

    def ended(self) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Completed:
    """`tail` is the end of what the program printed, both streams together."""

    exit_code: int
    tail: tuple[str, ...]
    timed_out: bool

    @property
    def succeeded(self) -> bool:
        return self.exit_code == 0 and not self.timed_out


def run(
    arguments: Sequence[str],
    *,
    folder: Path,
    log: Path,
    timeout_s: float,
    watcher: Watcher | None = None,
    on_line: Callable[[str], None] = lambda line: None,
) -> Completed:
    """Run a program to its end; its output goes to `log` as it comes, each line to `on_line` as well."""
    log.parent.mkdir(parents=True, exist_ok=True)
    logger.info("starting", extra={"arguments": list(arguments), "log": str(log)})
    lines: list[str] = []
    with log.open("a") as log_file, _started(arguments, folder, watcher) as child:
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            stop(child)

        timer = threading.Timer(timeout_s, expire)
        timer.start()
        try:
            for line in _lines(child):
                log_file.write(line + "\n")
                log_file.flush()
                lines = [*lines[1 - _TAIL_LINES :], line]
                on_line(line)
            exit_code = child.wait()
        finally:
            timer.cancel()
    logger.info("ended", extra={"program": arguments[0], "exit_code": exit_code})
    return Completed(exit_code=exit_code, tail=tuple(lines), timed_out=expired.is_set())


def answer(
    arguments: Sequence[str], *, folder: Path, timeout_s: float, reads: Path = Path(os.devnull)
) -> str:
    """What a short question to another program prints; what it `reads` is its input.

    Raises ProgramFailedError where it says no, MachineError where it hangs or is not there.
    """
    try:
        with reads.open("rb") as stdin:
            done = subprocess.run(
                arguments,
                cwd=folder,
                stdin=stdin,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout_s,
                start_new_session=True,  # a Ctrl-C is for this program, which decides what it means
            )
    except FileNotFoundError as error:
        raise program_missing(arguments[0]) from error
    except subprocess.TimeoutExpired as error:
        raise MachineError(f"`{' '.join(arguments)}` gave no answer within {timeout_s:.0f} s") from error
    if done.returncode != 0:
        raise ProgramFailedError(f"`{' '.join(arguments)}` failed", hint=done.stderr.strip()[-2000:])
    return done.stdout


def program_missing(program: str) -> MachineError:
    return MachineError(
        f"the program {program!r} is not on this machine",
        hint="`make setup` gets it; then run through `make`, or `source .venv/bin/activate` first.",
    )


@contextmanager
def _started(
    arguments: Sequence[str], folder: Path, watcher: "Watcher | None"
) -> Iterator[subprocess.Popen[str]]:
    try:
        child = subprocess.Popen(
            arguments,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise program_missing(arguments[0]) from error
    try:
        if watcher:
            watcher.started(child.pid)
        yield child
    except BaseException:
        stop(child)
        raise
    finally:
        if child.stdout:
            child.stdout.close()
        if watcher:
            watcher.ended()


def _lines(child: subprocess.Popen[str]) -> Iterator[str]:
    stream: IO[str] | None = child.stdout
    for line in stream or ():
        yield line.rstrip("\n")


def stop(child: subprocess.Popen[str], grace_s: float = GRACE_S) -> None:
    """Ask the program to stop, wait, then end its whole group."""
    if child.poll() is None:
        child.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(grace_s)
    end_group(child.pid)
    child.wait()


def end_group(group: int) -> None:
    """SIGTERM, a moment, SIGKILL to every process of the group; a group that is gone is no error."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGTERM)
        time.sleep(0.5)
        os.killpg(group, signal.SIGKILL)
