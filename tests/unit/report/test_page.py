"""The page: what it says is what the report says, nothing from outside does anything, nothing is fetched."""

import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser

import msgspec
import pytest

from loadtest.report import figures, markdown, page
from loadtest.report.model import AnyReport
from loadtest.security import Findings, PartFindings
from loadtest.stats.curves import Curves
from tests.unit.report import values
from tests.unit.report.test_formats import REPORTS

EVIL = "<script>alert(1)</script><img src=http://127.0.0.1/x onerror=alert(1)>"
LIMIT_BYTES = 5_000_000


class Tree(HTMLParser):
    """What there is on a page: its tags with their attributes, and the rows of each table."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.words = ""
        self._within_cell = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")
            self._within_cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th"}:
            self._within_cell = False

    def handle_data(self, data: str) -> None:
        self.words += data
        if self._within_cell:
            self.rows[-1][-1] += data


@pytest.mark.parametrize("name", REPORTS)
def test_a_page_says_what_the_full_report_says(name: str) -> None:
    """Its headings, one by one, and among them the charts' own."""
    titles = re.findall(r"^### (.*)$", markdown.render(REPORTS[name]), re.MULTILINE)
    on_page = re.findall(r"<h2[^>]*>(.*?)</h2>", page.render(REPORTS[name]))
    assert [one for one in on_page if one in titles] == titles
    assert len(titles) > 2


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_a_page_runs_nothing_and_asks_for_nothing(report: AnyReport) -> None:
    text = page.render(report)
    tree = Tree(text)
    assert {tag for tag, _ in tree.tags}.isdisjoint(
        {
            "script",
            "link",
            "img",
            "iframe",
            "object",
            "embed",
            "form",
            "base",
            "video",
            "audio",
            "image",
            "use",
        }
    )
    names = {name for _, attributes in tree.tags for name in attributes}
    assert not {name for name in names if name.startswith("on")} | names & {"style", "src", "srcset"}
    assert "url(" not in text
    assert "@import" not in text
    assert len(text.encode()) < LIMIT_BYTES


def test_the_policy_allows_the_pages_own_style_and_nothing_else() -> None:
    text = page.render(values.report())
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style is not None
    allowed = b64encode(sha256(style[1].encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{allowed}'; base-uri 'none'; form-action 'none'"
    assert f'<meta http-equiv="Content-Security-Policy" content="{policy}">' in text


def test_what_a_host_an_app_or_a_pod_is_called_is_text_and_nothing_more() -> None:
    curves = Curves(span_s=0.1, hosts={EVIL: values.HOST_CURVES})
    usage = replace(values.RESOURCES, scopes=(values.scope(EVIL),), problems=(EVIL,))
    chaos = (replace(values.CHAOS[0], victim=EVIL, event=replace(values.CHAOS[0].event, target=EVIL)),)
    finding = replace(values.SCAN.parts[0].severe[0], id=EVIL, where=EVIL, title=EVIL)
    scan = Findings(parts=(PartFindings(part=EVIL, counts={}, severe=(finding,), left_out=(EVIL,)),))
    report = values.report(resources=usage, chaos=chaos, run=replace(values.RUN, stack=EVIL))
    text = page.render(msgspec.structs.replace(report, curves=curves, security=scan))
    tags = {tag for tag, _ in Tree(text).tags}
    assert tags.isdisjoint({"script", "img"})
    assert text.count("alert(1)") > 5  # it is shown, so it got that far


def test_diagnostics_are_shown_as_they_are() -> None:
    text = page.render(values.failure(reason=EVIL, hint="[x](javascript:alert)", diagnostics_tail=(EVIL,)))
    tree = Tree(text)
    assert {tag for tag, _ in tree.tags}.isdisjoint({"script", "img"})
    assert EVIL in tree.words
    assert not [
        one for tag, one in tree.tags if tag == "a" and not str(one["href"]).startswith(("#", "http"))
    ]


def test_every_chart_has_its_figures_as_a_table_and_can_be_reached_by_keyboard() -> None:
    tree = Tree(page.render(REPORTS["autoscaled"]))
    charts = [attributes for tag, attributes in tree.tags if tag == "svg"]
    assert len(charts) == sum(tag == "figure" for tag, _ in tree.tags) == 9
    assert all(one["role"] == "img" and one["aria-label"] for one in charts)
    assert len(charts) == sum(tag == "details" for tag, _ in tree.tags)
    assert sum(one.get("tabindex") == "0" for _, one in tree.tags) >= 2 * len(charts)


def test_links_within_the_page_lead_somewhere() -> None:
    tree = Tree(page.render(REPORTS["disturbed"]))
    targets = [attributes["id"] for _, attributes in tree.tags if "id" in attributes]
    inner = [
        str(one["href"])[1:] for tag, one in tree.tags if tag == "a" and str(one["href"]).startswith("#")
    ]
    assert len(targets) == len(set(targets))
    assert set(inner) <= set(targets)
    assert len(inner) > 8


def test_the_tables_of_the_charts_hold_the_reports_own_figures() -> None:
    rows = Tree(page.render(values.report())).rows
    for host, curves in values.CURVES.hosts.items():
        for span in curves.spans:
            starts = [host, f"{span.at_s:g} s"]
            failed = sum(span.errors.values())
            assert any(row[:4] == [*starts, str(span.requests), str(failed)] for row in rows)
            if span.latency:
                assert [*starts, "0.912", "3.70", "9.50", figures.NOT_SHOWN, "123"] in rows
        for one in curves.histogram:
            bounds = [figures.number(one.low_ms), figures.number(one.high_ms)]
            assert [host, *bounds, str(one.samples)] in rows
        for quantile in curves.quantiles:
            assert [host, f"{quantile.percent:g} %", figures.number(quantile.value_ms)] in rows


def test_what_each_scope_used_is_drawn_over_time_with_a_gap_where_nothing_was_read() -> None:
    text = page.render(values.report())
    rows = Tree(text).rows
    assert ["foo", "0 s", "0.057", "11.0 MiB"] in rows
    assert ["foo", "0.100 s", "missing", "12.0 MiB"] in rows
    chart = text.partition('id="chart-resources-over-time"')[2].partition("</figure>")[0]
    scopes = len(values.RESOURCES.scopes)
    assert chart.count("<polyline") == scopes * 3  # CPU in two pieces, memory in one
    assert chart.count("<circle") == scopes * 4


def test_a_load_too_short_for_a_curve_of_resources_has_none() -> None:
    usage = replace(values.RESOURCES, scopes=(replace(values.scope("foo"), over_time=()),))
    text = page.render(values.report(resources=usage))
    assert "CPU and memory over time" not in text
    assert "CPU and memory during the load" in text


def test_of_very_many_hosts_the_first_are_drawn_and_the_others_counted() -> None:
    spans = tuple(replace(values.HOST_CURVES.spans[0], at_s=number / 10) for number in range(100))
    hosts = {f"host-{number:03}": replace(values.HOST_CURVES, spans=spans) for number in range(300)}
    stretches = tuple(replace(values.OVER_TIME[0], at_s=number / 6) for number in range(60))
    scopes = tuple(replace(values.scope(f"app-{number:03}"), over_time=stretches) for number in range(300))
    measured = values.report(resources=replace(values.RESOURCES, scopes=scopes))
    report = msgspec.structs.replace(measured, curves=Curves(span_s=0.1, hosts=hosts))
    text = page.render(report)
    assert "280 more scopes are in report.json" in text
    assert "Drawn are 20 hosts; 280 more are in report.json" in text
    assert "host-019" in text
    assert "host-020" not in text
    assert len(text.encode()) < LIMIT_BYTES


def test_a_load_without_a_single_right_answer_has_a_page() -> None:
    spans = tuple(replace(one, latency=None) for one in values.HOST_CURVES.spans)
    nothing = replace(values.HOST_CURVES, spans=spans, histogram=(), quantiles=())
    for hosts in ({}, {"foo": nothing}):
        report = msgspec.structs.replace(values.report(), curves=Curves(span_s=0.1, hosts=hosts))
        assert "Latency over time" in page.render(report)
