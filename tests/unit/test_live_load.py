"""The line about a load under way: what it says of the samples so far, and how often it is said."""

import io
import re
import time

import pytest
from rich.console import Console

from loadtest import console
from loadtest.console import PlainProgress, TerminalProgress
from loadtest.live_load import LiveLoad
from loadtest.plan import ClosedLoop, ConstantRate, Profile, Script
from loadtest.report.model import StageTiming
from loadtest.sample import Arm, ErrorClass, Sample
from loadtest.sample_columns import SampleColumns

CLOSED = ClosedLoop(requests=2_000, concurrency=10)
RATE = ConstantRate(rate_rps=50.0, duration_s=30.0)
MS = 1_000_000


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def rows(*latencies_ms: float, failed: int = 0, sent_s: float = 1_000.0) -> SampleColumns:
    """All sent at one second of the window; by default so late that the clock alone counts."""
    columns = SampleColumns()
    errors = [ErrorClass.TIMEOUT] * failed + [None] * len(latencies_ms)
    for latency_ms, error in zip([9_999.0] * failed + list(latencies_ms), errors, strict=True):
        columns.append(
            Sample(
                arm=Arm.HEAD,
                round=0,
                host="foo.localhost",
                intended_start_ns=0,
                actual_start_ns=int(sent_s * 1_000 * MS),
                latency_ns=int(latency_ms * MS),
                status=None if error else 200,
                body_bytes=0,
                error=error,
            )
        )
    return columns


def said(profile: Profile, *parts: tuple[float, SampleColumns]) -> list[str]:
    clock, lines = Clock(), []
    live = LiveLoad(profile, lines.append, clock)
    live.begin()
    for took_s, columns in parts:
        clock.now_s += took_s
        live.add(columns)
    return lines


def percentiles_ms(line: str) -> list[float]:
    return [float(found) for found in re.findall(r"p(?:50|95) ([\d.,]+) ms", line)]


def about(*values_ms: float) -> object:
    return pytest.approx(values_ms, rel=0.02)


def test_a_load_of_so_many_requests_tells_how_many_are_to_come_by_its_pace() -> None:
    (line,) = said(CLOSED, (2.0, rows(*[1.0] * 380, *[8.0] * 20)))
    assert re.sub(r"p(50|95) [\d.]+ ms · ", "", line) == (
        "2 s · 400/2,000 requests · 200 req/s · 0 errors · 8 s left"
    )
    assert percentiles_ms(line) == about(1.0, 1.0)


def test_a_load_of_so_much_time_tells_what_is_left_of_it() -> None:
    *_, line = said(RATE, (2.0, rows(*[1.0] * 100)), (2.0, rows(*[1.0] * 20)), (30.0, rows()))
    assert line.startswith("34 s · 120/1,500 requests · 0 req/s · p50 ")
    assert line.endswith(" · 0 s left")


def test_the_rate_is_the_latest_ones_and_percentiles_are_of_all_so_far() -> None:
    *_, line = said(RATE, (1.0, rows(*[1.0] * 90)), (2.0, rows(*[50.0] * 10)))
    assert "100/1,500 requests · 5.00 req/s" in line
    assert percentiles_ms(line) == about(1.0, 50.0)


def test_the_last_part_is_told_when_the_load_is_over_and_counts_to_its_last_request() -> None:
    (line,) = said(CLOSED, (5.0, rows(*[100.0] * 2_000, sent_s=0.9)))
    assert line.startswith("1 s · 2,000/2,000 requests · 2,000 req/s · p50 ")


def test_failed_requests_are_errors_and_never_latencies() -> None:
    (line,) = said(RATE, (1.0, rows(2.0, failed=3)))
    assert "4/1,500 requests" in line
    assert percentiles_ms(line) == about(2.0, 2.0)
    assert "3 errors" in line
    (line,) = said(RATE, (1.0, rows(failed=1)))
    assert "p50 – · p95 – · 1 error ·" in line  # noqa: RUF001


def test_where_nobody_knows_the_end_nothing_is_said_of_it() -> None:
    (line,) = said(Script(script="mine.js"), (3.0, rows(1.0)))
    assert line.startswith("3 s · 1 requests · 0.333 req/s · p50 ")
    assert line.endswith(" · 0 errors")
    (line,) = said(CLOSED, (3.0, rows()))
    assert "left" not in line


def test_before_the_window_nothing_is_said() -> None:
    lines: list[str] = []
    LiveLoad(RATE, lines.append).add(rows())
    assert lines == []


def test_a_log_gets_a_line_every_five_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    progress = PlainProgress(clock)
    clock.now_s += 60.0
    progress.begin("load")
    for second in range(1, 13):
        clock.now_s += 1.0
        progress.live(f"{second} s")
    assert capsys.readouterr().out == "load     5 s\nload     10 s\n"


def test_a_terminal_gets_one_line_that_is_drawn_anew_and_shows_words_as_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn = io.StringIO()
    terminal = Console(force_terminal=True, width=100, file=drawn)
    monkeypatch.setattr(console, "Console", lambda **_: terminal)
    progress = TerminalProgress()
    progress.begin("load")
    for second in (1, 2):
        progress.live(f"[red]{second} s")
        time.sleep(0.6)  # it is drawn four times a second
    progress.end(StageTiming(stage="load", duration_s=2.0, outcome="ok"))
    text = drawn.getvalue()
    assert "[red]1 s" in text
    assert "[red]2 s" in text
    assert "[red]" not in text.rpartition("\x1b[2K")[2], "only the stage's end stays on the screen"
