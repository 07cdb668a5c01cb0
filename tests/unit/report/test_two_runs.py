"""Two runs held against each other: what is unlike is named, no difference stands without its interval."""

from dataclasses import replace

import msgspec
import pytest

from loadtest.plan import RampingRate, Stage
from loadtest.report import figures
from loadtest.report import two_runs_sections as sections
from loadtest.report.model import Report
from loadtest.report.page import two_runs_page
from loadtest.report.two_runs import Told, two_runs
from loadtest.stats.summary import Interval, LatencyStats
from tests.unit.report import values
from tests.unit.report.test_page import EVIL, Tree

FIRST = values.report()


def with_latency(latency: LatencyStats | None) -> Report:
    requests = replace(values.requests(100), latency=latency)
    return values.report(values.summary(requests, foo=requests))


def of_p50(low_ms: float, p50_ms: float, high_ms: float) -> Report:
    interval = Interval(low_ms=low_ms, high_ms=high_ms)
    return with_latency(replace(values.latency(), p50_ms=p50_ms, p50_interval=interval))


@pytest.mark.parametrize(
    ("second", "told", "low_ms", "high_ms"),
    [
        (of_p50(2.5, 3.0, 3.5), Told.NOT_APART, -0.5, 2.5),
        (of_p50(4.0, 5.0, 6.0), Told.SLOWER, 1.0, 5.0),
        (of_p50(0.25, 0.5, 0.75), Told.FASTER, -2.75, -0.25),
    ],
)
def test_a_difference_lies_between_the_opposite_ends_of_both_intervals(
    second: Report, told: Told, low_ms: float, high_ms: float
) -> None:
    one = two_runs(of_p50(1.0, 2.0, 3.0), second).differences[0]
    assert (one.host, one.figure, one.told) == (None, "p50", told)
    assert one.interval == Interval(low_ms=low_ms, high_ms=high_ms)
    assert low_ms <= one.difference_ms <= high_ms


def test_a_percentile_without_an_interval_tells_nothing_of_a_difference() -> None:
    told = {one.figure: one.told for one in two_runs(FIRST, FIRST).differences}
    assert told == {"p50": Told.NOT_APART, "p90": Told.NOT_APART, "p95": Told.TOO_FEW}
    row = next(row for row in sections.rows(two_runs(FIRST, FIRST)) if row[1] == "p95")
    assert row[-2:] == (figures.NOT_SHOWN, "too few samples")


def test_a_p99_is_compared_where_both_runs_have_one() -> None:
    many = with_latency(values.latency(samples=12_000, p99_ms=88.8))
    assert "p99" in {one.figure for one in two_runs(many, many).differences}
    assert "p99" not in {one.figure for one in two_runs(many, FIRST).differences}


def test_a_host_that_only_one_run_has_or_that_never_answered_has_no_difference() -> None:
    assert {one.host for one in two_runs(FIRST, of_p50(1.0, 2.0, 3.0)).differences} == {None, "foo.localhost"}
    assert two_runs(FIRST, with_latency(None)).differences == ()


def test_of_runs_that_are_not_comparable_every_unlike_fact_is_named_and_none_called_faster() -> None:
    machine = replace(values.MACHINE, cpu_count=8)
    plan = replace(FIRST.plan, timeout_s=3.0)
    other = msgspec.structs.replace(of_p50(90.0, 91.0, 92.0), machine=machine, plan=plan, fingerprint="other")
    runs = two_runs(FIRST, other)
    assert {one.fact for one in runs.unlike} == {"machine", "plan.timeout_s"}
    words = "\n".join(sections.words(runs))
    assert "Not to be compared" in words
    assert "plan.timeout_s: 10.0 in the first, 3.0 in the second" in words
    assert {row[-1] for row in sections.rows(runs)} == {figures.NOT_SHOWN}
    assert "not to be compared" in two_runs_page.render(runs)


def test_what_is_unlike_is_told_in_words_of_the_report_and_not_of_a_program() -> None:
    stages = (Stage(rate_rps=400.0, duration_s=15.0),)
    ramping = replace(FIRST.plan, profile=RampingRate(rate_rps=50.0, stages=stages))
    words = "\n".join(
        sections.words(two_runs(FIRST, msgspec.structs.replace(FIRST, plan=ramping, fingerprint="other")))
    )
    assert 'not there in the first, [{"rate_rps":400.0,"duration_s":15.0}] in the second' in words


def test_two_comparable_runs_are_no_verdict_either() -> None:
    runs = two_runs(FIRST, of_p50(90.0, 91.0, 92.0))
    assert runs.unlike == ()
    assert "no verdict" in sections.headline(runs)
    assert "takes several of each" in sections.words(runs)[-1]
    assert sections.rows(runs)[0][-1] == "slower"


def test_a_run_that_is_in_doubt_by_itself_is_named() -> None:
    doubtful = values.report(values.summary(values.requests(0), foo=values.requests(0)))
    words = sections.words(two_runs(FIRST, doubtful))
    assert any(one.startswith("The second run is in doubt by itself: no request was sent") for one in words)


def test_the_page_holds_the_rows_of_the_table_and_no_foreign_markup() -> None:
    other = msgspec.structs.replace(FIRST, run=replace(values.RUN, stack=EVIL, commit=EVIL))
    runs = two_runs(FIRST, other)
    tree = Tree(two_runs_page.render(runs))
    assert {tag for tag, _ in tree.tags}.isdisjoint({"script", "img"})
    for row in sections.rows(runs):
        assert list(row) in tree.rows
