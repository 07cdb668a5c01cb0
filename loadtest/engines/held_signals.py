"""Interrupts while an event loop runs.

An exception that a signal handler raises inside a callback of the loop, or inside a finalizer, is logged and
stops nothing. So a signal only asks the loop to stop; the handler that was there before gets it afterwards.
"""

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

import uvloop

from loadtest.signals import unheard

_Result = TypeVar("_Result")

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def held_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Within, a signal calls `stop`; on the way out the first one is delivered as if it came then."""
    received: list[int] = []

    def hold(number: int, frame: FrameType | None) -> None:
        received.append(number)
        stop()

    previous = {number: signal.getsignal(number) for number in _SIGNALS} if _in_main_thread() else {}
    ignored = (signal.SIG_IGN, unheard, None)
    held = [number for number, handler in previous.items() if handler not in ignored]
    for number in held:
        signal.signal(number, hold)
    try:
        yield
    finally:
        for number in held:
            signal.signal(number, previous[number])
        if received:
            signal.raise_signal(received[0])


def run_interruptible(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Run an event loop until the work is done; an interrupt cancels it and is delivered afterwards."""
    runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    loop = runner.get_loop()
    task = loop.create_task(work)

    def stop() -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(task.cancel)

    with held_signals(stop), runner:
        return loop.run_until_complete(task)


def _in_main_thread() -> bool:
    """Only there can handlers be set, and only there do they run."""
    return threading.current_thread() is threading.main_thread()
