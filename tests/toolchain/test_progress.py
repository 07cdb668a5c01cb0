"""What the user sees while parts are got, on a terminal and in a log."""

from __future__ import annotations

import io
import re
import time

from toolchain.progress import Progress, duration


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def seen(written: str) -> list[str]:
    """The lines that are left on a terminal after all repainting."""
    return [re.sub(r"^.*\r\x1b\[2K", "", line) for line in written.split("\n")]


def test_a_log_gets_plain_lines_with_how_how_long_and_how_many_are_left() -> None:
    stream, clock = io.StringIO(), Clock()
    with Progress(stream, clock=clock) as progress:
        progress.begin("kubernetes", "building from registry sources")
        progress.left(("etcd", "coredns"))
        clock.now_s = 291.0
        progress.done("kubernetes", "1.34.4 built")
    assert stream.getvalue().splitlines() == [
        "kubernetes: building from registry sources",
        "kubernetes: 1.34.4 built (4 min 51 s), 2 left",
    ]


def test_a_way_that_leads_nowhere_gets_a_line_only_where_there_is_a_reason_to_say() -> None:
    stream = io.StringIO()
    with Progress(stream) as progress:
        progress.begin("kind", "looking", announce=False)
        progress.drop("kind", None)
        progress.begin("kind", "downloading", announce=False)
        progress.drop("kind", "the host does not answer")
    assert stream.getvalue() == "kind: the host does not answer\n"


def test_a_terminal_shows_what_runs_how_long_and_what_is_left_on_one_line_that_goes_away() -> None:
    stream, clock = Terminal(), Clock()
    with Progress(stream, clock=clock) as progress:
        progress.begin("kind", "downloading")
        progress.say("kind", "7 MB of 10")
        progress.left(("a", "b", "c", "d", "e", "f"))
        clock.now_s = 3.0
        deadline_s = time.monotonic() + 5
        while "7 MB" not in stream.getvalue() and time.monotonic() < deadline_s:
            time.sleep(0.01)
        progress.done("kind", "0.33.0 downloaded")
    assert "getting kind (7 MB of 10, 3.0 s) | left: a, b, c, d and 2 more" in stream.getvalue()
    assert seen(stream.getvalue()) == ["kind: 0.33.0 downloaded (3.0 s)", ""]


def test_a_live_line_is_never_wider_than_the_terminal() -> None:
    stream = Terminal()
    with Progress(stream) as progress:
        progress.begin("kind", "x" * 500)
        deadline_s = time.monotonic() + 5
        while "x" not in stream.getvalue() and time.monotonic() < deadline_s:
            time.sleep(0.01)
    painted = max(re.sub(r"\x1b\[2K", "", part) for part in stream.getvalue().split("\r"))
    assert 0 < len(painted) < 500


def test_durations_read_well() -> None:
    assert [duration(seconds) for seconds in (0.04, 9.94, 42.4, 61, 600)] == [
        "0.0 s",
        "9.9 s",
        "42 s",
        "1 min 1 s",
        "10 min 0 s",
    ]
