"""What an interrupt does: the first one stops the work, and from then on things are put away undisturbed.

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
    """Raises Interrupted at the first signal; any other is noted and waits for nothing."""

    def __init__(self) -> None:
        self._received: str | None = None
        self._shielded = False

    def shield(self) -> None:
        """Let nothing interrupt from here on: what is still to be done is putting things away."""
        self._shielded = True

    def checkpoint(self) -> None:
        """Raise once more what was raised inside a callback that swallowed it."""
        if self._received and not self._shielded:
            raise Interrupted(self._received)

    def handle(self, number: int, frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        if self._received or self._shielded:
            logger.warning("%s while cleaning up: cleaning up goes on", name)
            return
        self._received = name
        raise Interrupted(name)


@contextmanager
def interrupts() -> Iterator[Interrupts]:
    """Within, SIGINT, SIGTERM and SIGHUP go through the value."""
    handler = Interrupts()
    previous = {number: signal.signal(number, handler.handle) for number in _SIGNALS}
    try:
        yield handler
    finally:
        for number, before in previous.items():
            signal.signal(number, before)
