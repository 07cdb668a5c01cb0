"""A second pair of hands: a small process that cleans up after a run that died without a chance to.

The run holds the other end of a pipe. It names the program that is under way (`started PID`, `ended`) and
says `done` when it has put everything away. Where the pipe closes without that the run is dead: the guard
stops the program that was left running and destroys the stack. Leaves out machines that go away as a whole.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from loadtest import process

_DONE = "done"
_STARTED = "started"
_ENDED = "ended"


class _Guarded:
    """The run's end of the pipe; a guard that is gone can guard nothing, and is no reason to stop."""

    def __init__(self, pipe: IO[str]) -> None:
        self._pipe = pipe

    def started(self, pid: int) -> None:
        self.tell(_STARTED, pid)

    def ended(self) -> None:
        self.tell(_ENDED)

    def tell(self, *words: object) -> None:
        with contextlib.suppress(BrokenPipeError):
            print(*words, file=self._pipe, flush=True)


@contextmanager
def guarded(destroy_command: tuple[str, ...], *, folder: Path, log: Path) -> Iterator[process.Watcher]:
    """Within, the death of this process leads to `destroy_command`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as log_file:
        guard = subprocess.Popen(
            (sys.executable, "-m", "loadtest.guard", *destroy_command),
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=log_file,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    assert guard.stdin
    run = _Guarded(guard.stdin)
    try:
        yield run
    finally:
        run.tell(_DONE)
        guard.communicate()


def watch(pipe: IO[str], destroy_command: tuple[str, ...]) -> int:
    """Follow a run to its end; the value is the clean-up's exit code, 0 where there was nothing to do."""
    child: int | None = None
    for line in pipe:
        match line.split():
            case [word] if word == _DONE:
                return 0
            case [word, pid] if word == _STARTED:
                child = int(pid)
            case [word] if word == _ENDED:
                child = None  # its number may by now be another's
    if child:
        _stop_orphan(child)
    return subprocess.call(destroy_command, stdin=subprocess.DEVNULL)


def _stop_orphan(leader: int) -> None:
    """Let the dead run's program end by itself first: an interrupted `pulumi` knows best what it has made."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(leader, signal.SIGINT)
        give_up_s = time.monotonic() + process.GRACE_S
        while time.monotonic() < give_up_s:
            os.kill(leader, 0)
            time.sleep(0.2)
    process.end_session(leader)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the run decides what an interrupt means
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(watch(sys.stdin, tuple(sys.argv[1:])))
