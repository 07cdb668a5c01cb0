"""Shows what is being got, how, for how long, and what is left.

On a terminal one live line below the finished parts, elsewhere plain lines. It decides nothing and knows
nothing of parts but their names.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TextIO

_REPAINT_S = 0.25
_HEARTBEAT_S = 30.0
_LEFT_SHOWN = 4
_CLEAR_LINE = "\r\x1b[2K"


@dataclass(kw_only=True)
class _Running:
    how: str
    doing: str
    since_s: float


class Progress:
    """Told by the workers, from any thread; only this class writes while it is open."""

    def __init__(self, stream: TextIO, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._live = stream.isatty()
        self._running: dict[str, _Running] = {}
        self._left: tuple[str, ...] = ()
        self._guard = threading.Lock()
        self._closing = threading.Event()
        self._painter = threading.Thread(target=self._paint, daemon=True)

    def __enter__(self) -> Self:
        self._painter.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._painter.join()
        if self._live:
            self._write(_CLEAR_LINE, end="")

    def begin(self, name: str, how: str, *, announce: bool = True) -> None:
        with self._guard:
            self._running[name] = _Running(how=how, doing="", since_s=self._clock())
        if announce and not self._live:
            self.note(f"{name}: {how}")

    def say(self, name: str, doing: str) -> None:
        with self._guard:
            if name in self._running:
                self._running[name].doing = doing

    def done(self, name: str, outcome: str) -> None:
        """The part is there; `outcome` says how it was got."""
        with self._guard:
            running = self._running.pop(name)
        self.note(f"{name}: {outcome} ({duration(self._clock() - running.since_s)}){self._plain_left()}")

    def drop(self, name: str, why: str | None) -> None:
        """The way did not lead to the part, which is worth a line only where `why` is given."""
        with self._guard:
            del self._running[name]
        if why:
            self.note(f"{name}: {why}")

    def left(self, names: tuple[str, ...]) -> None:
        """What is not there yet and not being got either."""
        with self._guard:
            self._left = names

    def note(self, text: str) -> None:
        """A line that stays."""
        self._write((_CLEAR_LINE if self._live else "") + text)

    def _plain_left(self) -> str:
        count = len(self._left) + len(self._running)
        return f", {count} left" if count and not self._live else ""

    def _paint(self) -> None:
        pause_s = _REPAINT_S if self._live else _HEARTBEAT_S
        while not self._closing.wait(pause_s):
            with self._guard:
                line = status_line(self._running, self._left, self._clock())
            if not line:
                continue
            if self._live:
                width = shutil.get_terminal_size().columns - 1
                self._write(_CLEAR_LINE + line[:width], end="")
            else:
                self._write(f"  still at it: {line}")

    def _write(self, text: str, end: str = "\n") -> None:
        self._stream.write(text + end)
        self._stream.flush()


def status_line(running: Mapping[str, _Running], left: tuple[str, ...], now_s: float) -> str:
    """What runs, how long, and what is left, on one line; empty where nothing runs."""
    if not running:
        return ""
    parts = [
        f"{name} ({item.doing or item.how}, {duration(now_s - item.since_s)})"
        for name, item in running.items()
    ]
    text = "getting " + ", ".join(parts)
    if left:
        more = f" and {len(left) - _LEFT_SHOWN} more" if len(left) > _LEFT_SHOWN else ""
        text += f" | left: {', '.join(left[:_LEFT_SHOWN])}{more}"
    return text


def duration(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{minutes:.0f} min {rest:.0f} s" if minutes else f"{rest:.1f} s" if rest < 10 else f"{rest:.0f} s"
