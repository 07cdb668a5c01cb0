"""The progress view: calm on a terminal, plain lines where output goes to a file or a workflow's log."""

import sys
import time
from collections.abc import Callable

from rich.console import Console
from rich.markup import escape
from rich.status import Status

from loadtest.errors import LoadTestError
from loadtest.report.model import StageTiming
from loadtest.stages import Progress

_PLAIN_EVERY_S = 5.0
_REDRAWN_PER_S = 4.0  # drawing takes CPU that a load may need
_MARKS = {"ok": "[green]✓[/green]", "failed": "[red]✗[/red]"}


class PlainProgress:
    """One line when a stage ends, one for each note, and every few seconds one of a load that is under way.

    What else a stage is at is for eyes alone and left out.
    """

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._stage, self._told_at_s = "", clock_s()

    def begin(self, stage: str) -> None:
        self._stage, self._told_at_s = stage, self._clock_s()

    def say(self, text: str) -> None:
        pass

    def live(self, text: str) -> None:
        if self._clock_s() - self._told_at_s >= _PLAIN_EVERY_S:
            self._told_at_s = self._clock_s()
            print(f"{self._stage:<8} {text}", flush=True)

    def end(self, timing: StageTiming) -> None:
        print(f"{timing.stage:<8} {timing.outcome:<6} {timing.duration_s:6.1f} s", flush=True)

    def note(self, text: str) -> None:
        print(text, flush=True)

    def error(self, error: LoadTestError) -> None:
        print(f"error: {error}", file=sys.stderr, flush=True)


class TerminalProgress:
    """A spinner beside the present stage and a mark with its seconds beside each that ended."""

    def __init__(self) -> None:
        self._console = Console(highlight=False)
        self._errors = Console(highlight=False, stderr=True)
        self._stage = ""
        self._status: Status | None = None

    def begin(self, stage: str) -> None:
        self._stage = stage
        self._status = self._console.status(stage, refresh_per_second=_REDRAWN_PER_S)
        self._status.start()

    def say(self, text: str) -> None:
        if self._status:
            self._status.update(f"{self._stage}  [dim]{escape(text)}[/dim]")

    live = say

    def end(self, timing: StageTiming) -> None:
        if self._status:
            self._status.stop()
            self._status = None
        mark = _MARKS.get(timing.outcome, "-")
        self._console.print(f"{mark} {timing.stage:<8} {timing.duration_s:6.1f} s")

    def note(self, text: str) -> None:
        self._console.print(escape(text))

    def error(self, error: LoadTestError) -> None:
        self._errors.print(f"[red]error:[/red] {escape(str(error))}")


def progress() -> Progress:
    return TerminalProgress() if sys.stdout.isatty() else PlainProgress()
