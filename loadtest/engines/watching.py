"""The span in which a program of its own sends the load: its lines are read until it ends, or is ended.

It ends by itself, by an interrupt, by what becomes of a sample, or because it should have ended long ago.
Leaves out what its lines mean and what its end is worth.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from loadtest.engines.child import Child
from loadtest.engines.held_signals import held_signals

# What a program may take beyond the load itself: to start, and to end.
_ALLOWANCE_S = 60.0


@dataclass(frozen=True, kw_only=True)
class End:
    """`said` is the last of its standard error."""

    exit_code: int
    said: str
    interrupted: bool
    overdue: bool

    @property
    def how(self) -> str:
        if self.overdue:
            return "did not end when it should have"
        if self.exit_code < 0:
            return f"was ended by signal {-self.exit_code}"
        return f"ended with exit code {self.exit_code}"


def watch(
    command: Sequence[str],
    environment: Mapping[str, str],
    take: Callable[[Child], None],
    *,
    load_s: float | None,
) -> End:
    """`take` reads the lines to their end; `load_s` is how long the load lasts, None where nobody knows.

    After an interrupt this returns as soon as the program is gone, and the interrupt is delivered then.
    """
    interrupted, overdue = threading.Event(), threading.Event()
    children: list[Child] = []

    def stop(why: threading.Event) -> None:
        why.set()
        for child in children:
            child.kill()

    limit_s = threading.TIMEOUT_MAX if load_s is None else load_s + _ALLOWANCE_S
    with held_signals(lambda: stop(interrupted)), closing(Child(command, environment)) as child:
        children.append(child)
        if interrupted.is_set():  # before it was in the list
            child.kill()
        timer = threading.Timer(limit_s, stop, (overdue,))
        timer.daemon = True
        timer.start()
        try:
            take(child)
        finally:
            timer.cancel()
        code = child.exit_code()
    return End(exit_code=code, said=child.said(), interrupted=interrupted.is_set(), overdue=overdue.is_set())
