"""Running another program so that it never outlives its purpose: a session of its own, time limit, log.

A program is stopped gently first (SIGINT to the program alone, which then stops its own children) and its
whole session by force after a grace period. What a program leaves behind is ended when it has ended itself.
"""

import contextlib
import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO, Protocol

import psutil

from loadtest.errors import MachineError

logger = logging.getLogger(__name__)

GRACE_S = 40.0  # what `pulumi up` may take to stop after an interrupt: it waits for the step it is in
_TO_END_S, _LOOK_EVERY_S = 5.0, 0.05
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
    settings: Mapping[str, str] = MappingProxyType({}),
) -> Completed:
    """Run a program to its end; its output goes to `log` as it comes, each line to `on_line` as well.

    `settings` are what it finds in its environment beside what is there.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    logger.info("starting", extra={"arguments": list(arguments), "log": str(log)})
    lines: list[str] = []
    with log.open("a") as log_file, _started(arguments, folder, watcher, settings) as child:
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            stop(child)

        timer = threading.Timer(timeout_s, expire)
        timer.start()
        rest = threading.Thread(target=_end_what_it_leaves, args=[child], daemon=True)
        rest.start()
        try:
            for line in _lines(child):
                log_file.write(line + "\n")
                log_file.flush()
                lines = [*lines[1 - _TAIL_LINES :], line]
                on_line(line)
            rest.join()
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
    arguments: Sequence[str], folder: Path, watcher: Watcher | None, settings: Mapping[str, str]
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
            env={**os.environ, **settings},
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
    """Ask the program to stop, wait, then end its whole session."""
    if child.poll() is None:
        child.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(grace_s)
    end_session(child.pid)
    child.wait()


def end_session(leader: int) -> None:
    """SIGTERM, time to end, SIGKILL to every process of the session; one of which none is left is no error.

    Not its group alone: Pulumi's plugins are in groups of their own, and outlive an engine that is killed.
    """
    for number in (signal.SIGTERM, signal.SIGKILL):
        told: set[int] = set()
        give_up_s = time.monotonic() + _TO_END_S
        while (members := _session(leader)) and time.monotonic() < give_up_s:
            for member in members - told:
                with contextlib.suppress(OSError):  # gone by now
                    os.kill(member, number)
            told |= members
            time.sleep(_LOOK_EVERY_S)
        if not members:
            return
    logger.warning("still there", extra={"session": leader, "processes": sorted(members)})


def _session(leader: int) -> set[int]:
    """The ids of its processes, but for those that ended and were not asked for their exit code."""
    return {one for one in psutil.pids() if _session_of(one) == leader and not _ended(one)}


def _session_of(process_id: int) -> int | None:
    try:
        return os.getsid(process_id)
    except OSError:  # gone by now, or not to be known
        return None


def _ended(process_id: int) -> bool:
    try:
        return bool(psutil.Process(process_id).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def _end_what_it_leaves(child: subprocess.Popen[str]) -> None:
    """When it has ended: what is left of it would keep its output open, and stay."""
    child.wait()
    end_session(child.pid)
