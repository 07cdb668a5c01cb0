"""The page in a real browser: opens from disk, errs nowhere, asks for nothing, shows the report's figures."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from loadtest.report import figures, json_format, page
from loadtest.report.page import two_runs_page
from loadtest.report.two_runs import two_runs
from tests.integration.page.chromium import Opened, corner_colour, opened, pictured
from tests.unit.report import values
from tests.unit.report.test_page import Tree

REPORT = values.report(
    values.MISSED_SUMMARY,
    resources=values.AUTOSCALED_RESOURCES,
    apps=(*values.AUTOSCALED_APPS, values.app("bar")),
    chaos=values.CHAOS,
)
LIGHT, DARK = (255, 255, 255), (0x0E, 0x11, 0x16)
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')


@pytest.fixture(scope="module")
def report_html(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("page") / "report.html"
    file.write_text(page.render(REPORT))
    return file


@pytest.fixture(scope="module")
def shown(report_html: Path) -> Opened:
    return opened(report_html)


def test_it_opens_without_a_word_on_the_console_and_without_a_request(shown: Opened) -> None:
    assert "<figure" in shown.tree
    assert shown.console == ()
    assert shown.requests == ()


def test_what_it_shows_are_the_figures_of_the_report(shown: Opened) -> None:
    rows = Tree(shown.tree).rows
    report: dict[str, Any] = json.loads(json_format.render(REPORT))
    arm = report["summary"]["arms"][0]
    for name, requests in (("all hosts", arm["combined"]), *arm["hosts"].items()):
        latency = requests["latency"]
        told = [latency[key] for key in ("average_ms", "p50_ms", "p90_ms", "p95_ms")]
        row = next(row for row in rows if row[0] == name)
        assert row[1:5] == list(map(figures.number, told))
        assert row[6] == figures.number(latency["maximum_ms"])
        assert row[9:11] == [str(requests["http_errors"]), str(requests["timeouts"])]
    beginnings = [row[:4] for row in rows]
    for host, curves in report["curves"]["hosts"].items():
        for span in curves["spans"]:
            failed = sum(span["errors"].values())
            assert [host, f"{span['at_s']:g} s", str(span["requests"]), str(failed)] in beginnings
    for stage in report["timings"]:
        assert [stage["stage"], stage["outcome"], f"{stage['duration_s']:.1f}"] in rows


def test_a_request_and_a_script_would_have_been_seen(report_html: Path, tmp_path: Path) -> None:
    planted = '<img src="http://127.0.0.1:9/planted.png"><script>console.error("planted")</script></body>'
    text = report_html.read_text().replace("</body>", planted)
    (tmp_path / "open.html").write_text(POLICY.sub("", text))
    seen = opened(tmp_path / "open.html")
    assert seen.requests == ("http://127.0.0.1:9/planted.png",)
    assert "planted" in "".join(seen.console)
    (tmp_path / "held.html").write_text(text)
    held = opened(tmp_path / "held.html")
    assert held.requests == ()
    assert "Content Security Policy" in "".join(held.console)


@pytest.mark.parametrize(("dark", "ground"), [(False, LIGHT), (True, DARK)])
def test_it_follows_the_systems_light_and_dark(
    report_html: Path, dark: bool, ground: tuple[int, int, int]
) -> None:
    assert corner_colour(pictured(report_html, width=1200, dark=dark)) == ground


@pytest.mark.parametrize(("width", "whole"), [(1200, True), (500, False)])
def test_nothing_is_wider_than_the_screen(report_html: Path, tmp_path: Path, width: int, whole: bool) -> None:
    """Wide tables and charts scroll within themselves; of the first one a wide screen shows every column."""
    measure = (
        "const first = document.querySelector('.wide'), whole = first.scrollWidth <= first.clientWidth;"
        "document.title = `${document.documentElement.scrollWidth} in ${window.innerWidth}, ${whole}`"
    )
    text = POLICY.sub("", report_html.read_text())
    (tmp_path / "measured.html").write_text(text.replace("</body>", f"<script>{measure}</script></body>"))
    tree = opened(tmp_path / "measured.html", width=width).tree
    title = re.search(r"<title>(\d+) in (\d+), (\w+)</title>", tree)
    assert title is not None
    assert int(title[1]) <= int(title[2]) <= width
    assert title[3] == str(whole).lower()


def test_two_runs_on_a_page_open_as_quietly(tmp_path: Path) -> None:
    other = msgspec.structs.replace(REPORT, run=replace(values.RUN, stack="other"))
    (tmp_path / "compare.html").write_text(two_runs_page.render(two_runs(REPORT, other)))
    seen = opened(tmp_path / "compare.html")
    assert "no verdict" in seen.tree
    assert (seen.console, seen.requests) == ((), ())
