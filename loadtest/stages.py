"""The stages of a run: each is announced, timed and remembered, whatever becomes of it."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from loadtest.errors import LoadTestError
from loadtest.report.model import StageTiming

logger = logging.getLogger(__name__)


class Progress(Protocol):
    """Where a run tells a person what it is doing; `loadtest.console` has the ones there are."""

    def begin(self, stage: str) -> None: ...

    def say(self, text: str) -> None:
        """What the present stage is at, replacing what was said before."""
        ...

    def live(self, text: str) -> None:
        """The same, of figures that run on: a log gets them from time to time."""
        ...

    def end(self, timing: StageTiming) -> None: ...

    def note(self, text: str) -> None:
        """Something that is to stay on the screen."""
        ...

    def error(self, error: LoadTestError) -> None: ...


class Stages:
    """`checkpoint` is called before each stage and raises where the run is to end."""

    def __init__(self, progress: Progress, clock_s: Callable[[], float] = time.monotonic) -> None:
        self.progress = progress
        self.checkpoint: Callable[[], None] = lambda: None
        self._clock_s = clock_s
        self._timings: list[StageTiming] = []

    @property
    def timings(self) -> tuple[StageTiming, ...]:
        return tuple(self._timings)

    @contextmanager
    def stage(self, name: str) -> Iterator[Callable[[str], None]]:
        """Run a stage; the value is a function that says what the stage is at."""
        self.checkpoint()
        self._show(lambda: self.progress.begin(name))
        logger.info("stage begins", extra={"stage": name})
        started_s = self._clock_s()
        outcome = "failed"
        try:
            yield lambda text: self._show(lambda: self.progress.say(text))
            outcome = "ok"
        finally:
            timing = StageTiming(stage=name, duration_s=self._clock_s() - started_s, outcome=outcome)
            self._timings.append(timing)
            logger.info("stage ends", extra={"stage": name, "outcome": outcome})
            self._show(lambda: self.progress.end(timing))

    def live(self, text: str) -> None:
        self._show(lambda: self.progress.live(text))

    def note(self, text: str) -> None:
        self._show(lambda: self.progress.note(text))

    def error(self, error: LoadTestError) -> None:
        self._show(lambda: self.progress.error(error))

    @staticmethod
    def _show(words: Callable[[], None]) -> None:
        """A terminal that was closed is no reason to leave anything behind."""
        try:
            words()
        except OSError:
            logger.warning("nobody is there to be told")
