"""What an interrupt does: while work is done it raises `Interrupted`, while things are put away it waits.

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
        super().__init__(signal_name)
        self.signal_name = signal_name


@contextmanager
def interruptible() -> Iterator[None]:
    """Within, SIGINT, SIGTERM and SIGHUP raise Interrupted in the main thread."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise Interrupted(signal.Signals(number).name)

    with _handling(interrupt):
        yield


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Within, the same signals are noted and otherwise wait for nothing: cleaning up goes on to its end."""

    def note(number: int, frame: FrameType | None) -> None:
        logger.warning("%s while cleaning up: cleaning up goes on", signal.Signals(number).name)

    with _handling(note):
        yield


@contextmanager
def _handling(handler: "signal._HANDLER") -> Iterator[None]:
    previous = {number: signal.signal(number, handler) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, before in previous.items():
            signal.signal(number, before)
