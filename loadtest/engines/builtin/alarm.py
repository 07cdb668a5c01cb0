"""Waking an event loop at a nanosecond: docs/adr has what its own timers miss by, and what spinning costs.

The kernel wakes the loop a little too early, and the little that is left is spun away.
"""

import asyncio
import ctypes
import os
import sys
from collections.abc import Callable
from time import perf_counter_ns
from typing import Protocol

# What waking takes on an idle machine; a longer lead costs processor time and hits no better.
_LEAD_NS = 30_000
# uvloop's own timers move in steps of a millisecond.
_LOOP_STEP_NS = 1_000_000
_NONBLOCKING, _ABSOLUTE = os.O_NONBLOCK, 1
_CLOCK_MONOTONIC = 1  # the one of perf_counter_ns on Linux


class Alarm(Protocol):
    """Calls a function from the event loop, once for each time it is set."""

    def set(self, due_ns: int) -> None: ...

    def close(self) -> None: ...


def alarm(loop: asyncio.AbstractEventLoop, on_due: Callable[[], None]) -> Alarm:
    return TimerFileAlarm(loop, on_due) if sys.platform == "linux" else LoopAlarm(loop, on_due)


class _TimerSpec(ctypes.Structure):
    """struct itimerspec: an interval of nought, and when."""

    _fields_ = (
        ("interval_s", ctypes.c_long),
        ("interval_ns", ctypes.c_long),
        ("due_s", ctypes.c_long),
        ("due_ns", ctypes.c_long),
    )


class TimerFileAlarm:
    """Linux: a timer that the loop waits for as it waits for connections."""

    def __init__(self, loop: asyncio.AbstractEventLoop, on_due: Callable[[], None]) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._settime = libc.timerfd_settime
        self._file = libc.timerfd_create(_CLOCK_MONOTONIC, _NONBLOCKING)
        if self._file < 0:
            raise OSError(ctypes.get_errno(), "no timer is to be had")
        self._spec = _TimerSpec()
        self._spec_pointer = ctypes.byref(self._spec)
        self._loop = loop
        self._on_due = on_due
        self._due_ns = 0
        loop.add_reader(self._file, self._wake)

    def set(self, due_ns: int) -> None:
        # Setting takes back that it fired before: it never has to be read.
        self._due_ns = due_ns
        self._spec.due_s, self._spec.due_ns = divmod(due_ns - _LEAD_NS, 10**9)
        self._settime(self._file, _ABSOLUTE, self._spec_pointer, None)

    def close(self) -> None:
        """May be called again."""
        if self._file >= 0:
            self._loop.remove_reader(self._file)
            os.close(self._file)
            self._file = -1

    def _wake(self) -> None:
        while perf_counter_ns() < self._due_ns:
            pass
        self._on_due()


class LoopAlarm:
    """Elsewhere: the loop's own timer, and then round and round the loop until it is time."""

    def __init__(self, loop: asyncio.AbstractEventLoop, on_due: Callable[[], None]) -> None:
        self._loop = loop
        self._on_due = on_due
        self._due_ns = 0
        self._handle: asyncio.Handle | None = None

    def set(self, due_ns: int) -> None:
        self._due_ns = due_ns
        self._wake()

    def close(self) -> None:
        if self._handle is not None:
            self._handle.cancel()

    def _wake(self) -> None:
        left_ns = self._due_ns - perf_counter_ns()
        if left_ns > 2 * _LOOP_STEP_NS:
            self._handle = self._loop.call_later((left_ns - 2 * _LOOP_STEP_NS) / 1e9, self._wake)
        else:
            self._handle = self._loop.call_soon(self._on_due if left_ns <= 0 else self._wake)
