"""One run per project and stack at a time: the lock is the kernel's, so a dead run never holds it."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loadtest.errors import UsageError


@contextmanager
def run_lock(project: Path, stack: str) -> Iterator[None]:
    """Hold the stack for this process. Raises UsageError at once where another run holds it."""
    folder = project / ".toolchain"
    folder.mkdir(exist_ok=True)
    with (folder / f"run-{stack}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(
                f"another run uses the stack {stack!r} right now",
                hint="Wait until it ends, or stop it with Ctrl-C: it takes its cluster down by itself.",
            ) from error
        yield
