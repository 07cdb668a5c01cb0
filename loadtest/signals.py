"""What an interrupt does: the first one stops the work, and nothing disturbs what is put away after it.

Leaves out child processes, which `process` stops when it sees the exception.
"""

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

logger = logging.getLogger(__name__)

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """Someone asked the run to stop. Not an Exception: no `except Exception` may swallow it."""

    def __init__(self, signal_name: str) -> None:
        super().__init__(f"interrupted by {signal_name}")


class Interrupts:
    """Raises Interrupted at the first signal that comes while armed; every other one is noted and no more."""

    def __init__(self) -> None:
        self._received: str | None = None
        self._armed = False

    @contextmanager
    def armed(self) -> Iterator[None]:
        """Within, the first signal raises. One that came before raises on entry, so that none is lost."""
        self._armed = True
        try:
            self.checkpoint()
            yield
        finally:
            self._armed = False

    def checkpoint(self) -> None:
        """Raise once more what was raised inside a callback that swallowed it."""
        if self._received and self._armed:
            raise Interrupted(self._received)

    def handle(self, number: int, frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        if self._received is None:
            self._received = name
            self.checkpoint()
        logger.warning("%s: what is being put away is put away first", name)


@contextmanager
def interrupts() -> Iterator[Interrupts]:
    """Within, SIGINT, SIGTERM and SIGHUP go through the value; what is ignored stays so (nohup, a shell's &).

    An ignored SIGINT is ignored here alone: programs that are started would inherit it, and Pulumi's engine,
    which ends its language host by it, waits five seconds for one that does not hear it.
    """
    handler = Interrupts()
    heard = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    previous = {number: signal.signal(number, handler.handle) for number in heard}
    if signal.SIGINT not in heard:
        previous[signal.SIGINT] = signal.signal(signal.SIGINT, unheard)
    try:
        yield handler
    finally:
        for number, before in previous.items():
            signal.signal(number, before)


def unheard(number: int, frame: FrameType | None) -> None:
    """Does what SIG_IGN does, and is not passed on to programs that are started."""
