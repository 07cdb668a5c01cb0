"""Makes things go wrong while the load goes on: each event at its second, in a thread of its own.

Whom an event hits is found out shortly before, so that the event itself takes no longer than it must. However
the load ends, what has not happened by then never does, and what can be undone is undone. An event that fails
is told of, and fails nothing else. Leaves out how things are hit: see `hands`.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from loadtest.chaos.hands import Aimed
from loadtest.chaos.model import ChaosEvent, Deed
from loadtest.errors import LoadTestError

logger = logging.getLogger(__name__)

_AIM_AHEAD_S = 2.0
_PUTTING_RIGHT_S = 45.0
_FOR_EVER_S = float("inf")
_NOT_REACHED = "the load ended before it was due"
_UNDER_WAY = f"it was not over {_PUTTING_RIGHT_S:.0f} s after the load"


class Chaos:
    """`begin` is to be called when the load's window begins; `deeds` is of use once all is over."""

    def __init__(self, events: Sequence[ChaosEvent], aim: Callable[[ChaosEvent], Aimed]) -> None:
        self._aim = aim
        self._changed = threading.Condition()
        self._began_s: float | None = None
        self._over = False
        self._deeds = [Deed(event=event) for event in events]  # each is written by its own thread
        self._threads = [
            threading.Thread(target=self._carry_out, args=(number,), name=f"chaos {number}", daemon=True)
            for number in range(len(events))
        ]

    @property
    def deeds(self) -> tuple[Deed, ...]:
        return tuple(
            replace(deed, problem=_NOT_REACHED) if deed.began_unix_ns is None and not deed.problem else deed
            for deed in self._deeds
        )

    def begin(self) -> None:
        with self._changed:
            self._began_s = time.monotonic()
            self._changed.notify_all()

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Cancel what is still to come, undo what can be undone, wait for both, but not for ever."""
        with self._changed:
            self._over = True
            self._changed.notify_all()
        give_up_s = time.monotonic() + _PUTTING_RIGHT_S
        for number, thread in enumerate(self._threads):
            thread.join(max(0.0, give_up_s - time.monotonic()))
            if thread.is_alive():
                self._complain(number, _UNDER_WAY)

    def _carry_out(self, number: int) -> None:
        with self._complaints(number):
            event = self._deeds[number].event
            if event.at_s > _AIM_AHEAD_S and not self._reached(event.at_s - _AIM_AHEAD_S):
                return
            aimed = self._aim(event)
            self._deeds[number] = replace(self._deeds[number], victim=aimed.victim)
            try:
                self._hit(number, aimed)
            finally:
                with self._complaints(number):
                    self._put_right(number, aimed)

    def _hit(self, number: int, aimed: Aimed) -> None:
        event = self._deeds[number].event
        if not self._reached(event.at_s):
            return
        began_unix_ns = time.time_ns()
        aimed.strike()
        done_unix_ns = time.time_ns()
        self._deeds[number] = replace(
            self._deeds[number], began_unix_ns=began_unix_ns, done_unix_ns=done_unix_ns
        )
        logger.info("chaos", extra={"action": event.action, "victim": aimed.victim})
        if not event.for_good:
            self._reached(_FOR_EVER_S if event.duration_s is None else event.at_s + event.duration_s)

    def _put_right(self, number: int, aimed: Aimed) -> None:
        aimed.undo()
        deed = self._deeds[number]
        if deed.began_unix_ns is not None and not deed.event.for_good:
            self._deeds[number] = replace(deed, undone_unix_ns=time.time_ns())

    def _reached(self, at_s: float) -> bool:
        """Wait for that second of the load; False where the load is over first."""
        with self._changed:
            while not self._over:
                left_s = None if self._began_s is None else at_s - (time.monotonic() - self._began_s)
                if left_s is not None and left_s <= 0:
                    return True
                self._changed.wait(None if left_s is None else min(left_s, threading.TIMEOUT_MAX))
            return False

    @contextmanager
    def _complaints(self, number: int) -> Iterator[None]:
        """A thread has nobody to raise to: what goes wrong is written down."""
        try:
            yield
        except LoadTestError as error:
            self._complain(number, " ".join(filter(None, (error.message, error.hint))))
        except Exception as error:
            logger.exception("a defect in chaos")
            self._complain(number, f"a defect of this program: {type(error).__name__}: {error}")

    def _complain(self, number: int, problem: str) -> None:
        deed = self._deeds[number]
        logger.warning("chaos: %s: %s", deed.event, problem)
        self._deeds[number] = replace(deed, problem="; ".join(filter(None, (deed.problem, problem))))


@contextmanager
def chaos_during(events: Sequence[ChaosEvent], aim: Callable[[ChaosEvent], Aimed]) -> Iterator[Chaos]:
    """Within, the events happen once `begin` was called."""
    chaos = Chaos(events, aim)
    chaos.start()
    try:
        yield chaos
    finally:
        chaos.end()
