"""The comment's promises: marker and verdict first, nothing from outside acts, never too long for GitHub."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from loadtest.report import comment, markdown
from loadtest.report.layout import Section, document
from loadtest.report.model import AnyReport
from tests.unit.report import values
from tests.unit.report.test_escape import HOSTILE, MARKDOWN

GITHUB_LIMIT_CHARS = 65_536
MARKERS = 2  # by which it is found, and what it keeps of earlier runs


def test_each_of_several_reasons_of_a_failure_has_a_line_of_its_own() -> None:
    reason = "this run cannot start:\n  - no kind\n    Get it.\n\n  - <b>no disk</b>"
    text = comment.render(values.failure(reason=reason))
    told = (
        "Stage `health`: this run cannot start:\n\n- no kind\n- Get it.\n- &#60;b&#62;no disk&#60;/b&#62;\n"
    )
    assert told in text


def test_the_first_line_is_the_marker_and_the_second_the_verdict() -> None:
    first, second, *_ = comment.render(values.report()).splitlines()
    assert first == "<!-- loadproof:ci -->"
    assert second == "## ✅ All objectives met: 100 % success, p95 9.50 ms, 800 req/s"


def test_a_failed_run_says_why_what_to_do_and_shows_the_last_lines() -> None:
    text = comment.render(
        values.failure(reason="no node is Ready", hint="Look here.", diagnostics_tail=("OOM",))
    )
    assert [part in text for part in ("no node is Ready", "Look here.", "```text\nOOM\n```")] == [True] * 3


def test_a_verdict_without_objectives_does_not_read_as_a_pass() -> None:
    assert "## ⚪ Measured, not judged" in comment.render(values.report(objectives=()))


def test_monitoring_that_failed_altogether_shows_its_reason_and_no_empty_table() -> None:
    nothing = replace(values.RESOURCES, scopes=(), problems=("Prometheus did not answer",))
    for render in (comment.render, markdown.render):
        text = render(values.report(resources=nothing))
        assert "Missing: nothing could be measured.\n\n- Prometheus did not answer" in text
        assert "| scope" not in text


@pytest.mark.parametrize("render", [comment.render, markdown.render])
def test_readings_of_much_more_than_the_load_are_said_to_be(render: Callable[[AnyReport], str]) -> None:
    words = "The load took 0.250 s; these are averages over up to 3.77 s of readings around it."
    assert words in render(values.report(resources=values.WIDE_RESOURCES))
    assert "readings around it" not in render(values.report())


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_adds_no_html_no_link_and_no_second_marker(text: str) -> None:
    harmless, hostile = (
        comment.render(
            values.report(
                apps=(values.app("foo", image=one),),
                resources=replace(values.RESOURCES, problems=(one,)),
            )
        )
        for one in ("harmless", text)
    )
    assert kinds(hostile) == kinds(harmless)
    assert hostile.count("<!--") == MARKERS


def kinds(text: str) -> list[str]:
    """What the text is made of: its blocks, and all within them that is neither words nor code."""
    tokens = MARKDOWN.parse(text)
    harmless = {"text", "text_special", "code_inline", "softbreak"}
    inner = [part for token in tokens for part in token.children or [] if part.type not in harmless]
    acting = [part.type for part in inner if part.content not in ("<code>", "</code>")]
    return [*(token.type for token in tokens), *acting]


def test_a_failed_run_with_hostile_words_keeps_its_one_marker() -> None:
    hostile = " ".join(HOSTILE)
    text = comment.render(values.failure(reason=hostile, hint=hostile))
    assert text.count("<!--") == MARKERS


def test_the_comment_of_a_huge_and_hostile_run_fits_and_names_what_it_left_out() -> None:
    many = {f"host{number}{'@😀' * 200}": values.requests() for number in range(300)}
    resources = replace(values.RESOURCES, scopes=tuple(values.scope("🙂" * 500) for _ in range(300)))
    report = values.report(values.summary(values.requests(), **many), resources=resources)
    text = comment.render(report)
    assert len(text.encode()) <= GITHUB_LIMIT_CHARS
    assert "Left out, because this text would be too long: " in text
    run = "https://github.example/octo/service/actions/runs/1"
    assert f"report.json among the [artifacts]({run}#artifacts) has it all._" in text


def test_the_comment_of_a_huge_failure_fits() -> None:
    huge = "😀@" * 50_000
    text = comment.render(values.failure(reason=huge, hint=huge, diagnostics_tail=(huge,) * 5_000))
    assert len(text.encode()) <= GITHUB_LIMIT_CHARS
    assert "Last lines of the diagnostics" in text, "the explanation is the last thing to be left out"


def test_the_full_report_fits_the_job_summary() -> None:
    scopes = tuple(values.scope("🙂" * 500) for _ in range(300))
    text = markdown.render(values.report(resources=replace(values.RESOURCES, scopes=scopes)))
    assert len(text.encode()) <= 1024 * 1024


def test_a_section_that_fits_is_shown_though_one_before_it_did_not() -> None:
    parts = [Section(title="big", body="x" * 900), Section(title="small", body="y")]
    text = document("head", parts, limit_bytes=500)
    assert "### small" in text
    assert "### big" not in text
    assert "too long: big." in text


def test_an_empty_section_is_neither_shown_nor_missed() -> None:
    assert document("head", [Section(title="none", body="")], limit_bytes=500) == "head\n"


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        ("ci", "<!-- loadproof:ci -->"),
        ("a--> b", "<!-- loadproof:a-b -->"),
        ("ci-2", "<!-- loadproof:ci-2 -->"),
    ],
)
def test_the_marker_holds_the_stack_and_cannot_end_early(stack: str, expected: str) -> None:
    assert comment.marker(stack) == expected
