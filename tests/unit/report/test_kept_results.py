"""What a comment keeps of earlier runs, and what the next one makes of it, whoever edited it meanwhile."""

import base64
import json
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.report import change_sections, comment, kept_results
from loadtest.report.figures import NOT_SHOWN
from loadtest.report.kept_results import ALL_HOSTS, Earlier, HostResult, Percentile, Result
from loadtest.report.model import AnyReport, Report
from loadtest.stats.summary import Interval
from loadtest.validity import CheckStatus, Validity
from tests.unit.report import values
from tests.unit.report.test_comment import GITHUB_LIMIT_CHARS, MARKERS, kinds
from tests.unit.report.test_escape import ANY_TEXT, HOSTILE


def run(number: int, report: AnyReport | None = None) -> AnyReport:
    """One of a pull request's runs: each has its own commit and moment."""
    identity = replace(
        values.RUN, commit=f"{number:040x}", created_at=f"2026-02-02T02:{number % 60:02}:{number // 60:02}Z"
    )
    return msgspec.structs.replace(report or values.report(), run=identity)


def with_p95(low_ms: float, value_ms: float, high_ms: float) -> Report:
    interval = Interval(low_ms=low_ms, high_ms=high_ms)
    latency = replace(values.latency(samples=1_000), p95_ms=value_ms, p95_interval=interval)
    requests = replace(values.requests(), latency=latency)
    return values.report(values.summary(requests, foo=requests))


def comment_after(*reports: AnyReport) -> str:
    text = ""
    for report in reports:
        text = comment.after(report, text)
    return text


def test_what_a_comment_keeps_is_read_back_the_same() -> None:
    results = [kept_results.result_of(run(number)) for number in range(5)]
    assert kept_results.earlier_in(
        kept_results.hidden_line(results), kept_results.result_of(run(9))
    ).results == tuple(results)


def test_the_last_ten_stand_folded_under_the_newest_which_comes_first() -> None:
    text = comment_after(*(run(number) for number in range(1, 14)))
    assert text.index("## ✅") < text.index("Earlier results (10)")
    folded = text[text.index("Earlier results (10)") :]
    shown = [line.split("`")[1] for line in folded.splitlines() if line.startswith("| `")]
    assert shown == [f"{number:040x}"[:7] for number in range(12, 2, -1)]


def test_a_run_that_is_posted_once_more_is_not_held_against_itself() -> None:
    once = comment_after(run(1), run(2))
    assert comment.after(run(2), once) == once


def test_a_first_run_has_nothing_to_be_held_against() -> None:
    text = comment.render(run(1))
    assert ("Before and after" in text, "Earlier results" in text) == (False, False)


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (with_p95(20.0, 21.0, 22.0), "🔺 slower by 11.0 ms"),
        (with_p95(4.0, 5.0, 6.0), "🔽 faster by 5.00 ms"),
        (with_p95(10.9, 12.0, 13.0), f"| 10.0 | 12.0 | {NOT_SHOWN} |"),
    ],
    ids=["beyond", "below", "touching"],
)
def test_a_difference_is_one_only_where_the_intervals_do_not_touch(now: Report, words: str) -> None:
    text = comment_after(run(1, with_p95(9.0, 10.0, 11.0)), run(2, now))
    (row,) = (line for line in text.splitlines() if line.startswith("| `foo.localhost` | 3.70 | 3.70 |"))
    assert words in row
    assert ("slower" in row or "faster" in row) == (NOT_SHOWN not in words)


def test_without_intervals_nothing_is_said_of_a_difference() -> None:
    figure = Percentile(value_ms=1.0, low_ms=None, high_ms=None)
    other = Percentile(value_ms=900.0, low_ms=None, high_ms=None)
    before, now = (
        Result(
            created_at=moment,
            headline="x",
            fingerprint="f",
            hosts=(HostResult(ALL_HOSTS, 10, 0, 1.0, one, None),),
        )
        for moment, one in (("then", figure), ("now", other))
    )
    body = change_sections.before_and_after(now, Earlier(results=(before,))).body
    assert f"| **all hosts** | 1.00 | 900 | {NOT_SHOWN} | missing | missing | {NOT_SHOWN} |" in body


def test_runs_with_other_fingerprints_are_not_compared_and_why_is_said() -> None:
    other = msgspec.structs.replace(values.report(), fingerprint="another")
    text = comment_after(run(1, other), run(2))
    assert "Not compared: `0000000` of `2026-02-02T02:01:00Z`" in text
    assert "has the fingerprint `another` and this run `0123456789ab`" in text
    assert "before" not in text.split("### Before and after")[1].split("###")[0]


def test_the_newest_comparable_run_is_taken_past_others_and_failures() -> None:
    other = msgspec.structs.replace(values.report(), fingerprint="another")
    text = comment_after(run(16), run(1, other), run(2, values.failure()), run(3))
    assert "Against `0000000` of `2026-02-02T02:16:00Z`" in text
    assert "❌ Not measured: the stack came up" in text.split("Earlier results (3)")[1]


def test_a_disturbed_run_is_held_against_nothing_and_nothing_against_it() -> None:
    check = replace(values.report().validity.checks[-1], status=CheckStatus.DOUBTFUL, disturbs=True)
    disturbed = msgspec.structs.replace(values.report(), validity=Validity(checks=(check,)))
    first = comment_after(run(16), run(17, disturbed))
    assert "Not compared: this measurement was disturbed" in first
    assert "Against `0000000` of `2026-02-02T02:16:00Z`" in comment.after(run(18), first)


def test_every_row_of_before_and_after_has_a_cell_for_each_column() -> None:
    text = comment_after(run(1), run(2)).split("### Before and after")[1].split("###")[0]
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 5
    assert len({row.count("|") for row in rows}) == 1


def test_a_failed_run_keeps_the_earlier_ones_for_the_next() -> None:
    failed = comment_after(run(1), run(2, values.failure()))
    assert "Earlier results (1)" in failed
    assert "Before and after" not in failed
    assert "Against " in comment.after(run(3), failed)


def test_the_trend_is_of_comparable_runs_and_begins_at_nought() -> None:
    runs = [with_p95(value, value, value) for value in (10.0, 5.0, 1.0, 10.0)]
    text = comment_after(*(run(number, one) for number, one in enumerate(runs)))
    assert "p95 of the 4 comparable runs, this one last: `█▅▂█` (1.00 ms to 10.0 ms, bars from 0)" in text


def line(content: bytes, version: int = kept_results.VERSION) -> str:
    return f"<!-- loadproof-results:{version} {base64.b64encode(content).decode()} -->"


GOOD = {"created_at": "then", "headline": "fine"}


@pytest.mark.parametrize(
    ("there", "problem"),
    [
        (line(b"[]", version=2), "earlier results are of version 2 of this comment's data"),
        (line(b"{"), "damaged"),
        (line(b"\xff\xfe"), "damaged"),
        (line(json.dumps([{"headline": "no moment"}]).encode()), "damaged"),
        (line(json.dumps([{**GOOD, "headline": "x" * 201}]).encode()), "damaged"),
        (line(json.dumps([GOOD] * 12).encode()), "damaged"),
        (line(json.dumps([{**GOOD, "hosts": [["", -1, 0, 0, None, None]]}]).encode()), "damaged"),
        ("<!-- loadproof-results:1 A -->", "damaged"),
        (line(b" " * kept_results.LIMIT_BYTES), "longer than this comment ever keeps"),
    ],
)
def test_data_that_is_not_ours_is_left_out_with_a_word(there: str, problem: str) -> None:
    text = comment.after(run(1), f"{comment.marker('ci')}\n{there}\n")
    (said,) = (one for one in text.splitlines() if one.startswith("Not compared: "))
    assert problem in said.replace("&#8203;", "")
    assert "Earlier results" not in text.replace(said, "")
    assert "Against " in comment.after(run(2), text), "from here on it is as if it were the first run"


def test_a_comment_with_its_data_edited_away_is_like_a_first_run() -> None:
    edited = comment.render(run(1)).replace("loadproof-results", "something else")
    assert comment.after(run(2), edited) == comment.render(run(2))


def test_a_comment_that_was_edited_in_a_browser_has_other_line_ends_and_is_read_all_the_same() -> None:
    edited = comment.render(run(1)).replace("\n", "\r\n")
    assert "Earlier results (1)" in comment.after(run(2), edited)


@pytest.mark.parametrize("word", HOSTILE)
def test_kept_words_do_nothing_whoever_wrote_them(word: str) -> None:
    made_of = []
    for one in ("harmless", word):
        planted = Result(
            created_at=one,
            headline=one,
            commit=one,
            run_url=one,
            fingerprint="0123456789ab",
            hosts=kept_results.result_of(values.report()).hosts,
        )
        text = comment.after(run(1), kept_results.hidden_line([planted]))
        assert text.count("<!--") == MARKERS
        made_of.append(kinds(text))
    assert made_of[0] == made_of[1]


_PERCENTILES = st.none() | st.builds(
    Percentile,
    st.floats(0, 1e12),
    st.none() | st.floats(0, 1e12),
    st.none() | st.floats(0, 1e12),
)
_WORDS = ANY_TEXT.map(lambda text: text[:200])
_RESULTS = st.builds(
    Result,
    created_at=_WORDS,
    headline=_WORDS,
    commit=st.none() | _WORDS,
    run_url=st.none() | _WORDS,
    fingerprint=st.none() | _WORDS | st.just("0123456789ab"),
    hosts=st.lists(
        st.builds(
            HostResult,
            _WORDS.map(lambda text: text[:100]) | st.just("foo.localhost"),
            st.integers(0, 10**12),
            st.integers(0, 10**12),
            st.floats(0, 1e12),
            _PERCENTILES,
            _PERCENTILES,
        ),
        max_size=20,
    ).map(tuple),
)


@given(st.lists(_RESULTS, max_size=11))
def test_whatever_was_kept_the_comment_fits_and_its_data_is_read_back(results: list[Result]) -> None:
    text = comment.after(run(1), kept_results.hidden_line(results))
    assert len(text.encode()) <= GITHUB_LIMIT_CHARS
    assert text.count("<!--") == MARKERS
    kept = kept_results.earlier_in(text, kept_results.result_of(run(2)))
    assert kept.problem == ""
    assert kept.results[0] == kept_results.result_of(run(1))


@given(ANY_TEXT)
def test_no_text_in_the_place_of_the_comment_breaks_the_next_one(there: str) -> None:
    text = comment.after(run(1), there)
    assert text.startswith(comment.marker("ci"))


def test_a_host_of_a_forged_report_beyond_all_bounds_is_kept_within_them() -> None:
    forged = replace(values.requests(), requests=10**15, succeeded=-5, achieved_rps=-1.0)
    text = comment.render(run(1, values.report(values.summary(forged, **{"x" * 5_000: forged}))))
    kept = kept_results.earlier_in(text, kept_results.result_of(run(2)))
    assert [(one.requests, one.achieved_rps) for one in kept.results[0].hosts] == [(10**12, 0.0)]


def test_of_more_than_fit_the_oldest_are_forgotten() -> None:
    many = {f"host{number:02}{'x' * 70}": values.requests() for number in range(30)}
    wide = values.report(values.summary(values.requests(), **many))
    results = [kept_results.result_of(run(number, wide)) for number in range(11)]
    line_ = kept_results.hidden_line(results)
    assert len(line_) <= kept_results.LIMIT_BYTES
    kept = kept_results.earlier_in(line_, kept_results.result_of(run(99))).results
    assert 2 <= len(kept) < 10
    assert kept == tuple(results[: len(kept)])


def test_a_huge_run_after_many_wide_ones_fits_and_keeps_what_the_next_one_needs() -> None:
    many = {f"host{number:03}{'x' * 80}": values.requests() for number in range(300)}
    resources = replace(values.RESOURCES, scopes=tuple(values.scope("🙂" * 500) for _ in range(300)))
    wide = values.report(values.summary(values.requests(), **many), resources=resources)
    text = comment_after(*(run(number, wide) for number in range(12)))
    assert len(text.encode()) <= comment.LIMIT_BYTES + 1
    assert "Left out, because this text would be too long: " in text
    assert kept_results.earlier_in(text, kept_results.result_of(run(99))).results
