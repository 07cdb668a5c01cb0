"""The comment over several runs, on a loopback GitHub: what it keeps, whom it trusts, when it is quiet."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from loadtest import records, results
from loadtest.artifacts import Artifacts
from loadtest.job import Job
from loadtest.report import comment, kept_results
from loadtest.report.model import AnyReport
from loadtest.security import Findings, PartFindings, Severity
from loadtest.settings import CommentWhen, Settings
from tests.integration.publish import github_server
from tests.integration.publish.github_server import FakeGitHub
from tests.unit.report import values
from tests.unit.report.test_kept_results import run

MISSED = values.report(values.MISSED_SUMMARY)


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with github_server.running() as server:
        yield server


class Runs:
    """Each posts the report of another run, as the verb `comment` does."""

    def __init__(self, fake: FakeGitHub, folder: Path) -> None:
        self.artifacts = Artifacts(root=folder)
        self.settings = Settings(
            github_token="ghs_planted_secret",
            github_api_url=fake.url,
            repository="octo/service",
            pull_request=7,
        )
        self.number = 0

    def job(self, **settings: object) -> Job:
        given = replace(self.settings, **settings)  # type: ignore[arg-type]
        return Job(project=Path(), stack="ci", artifacts=self.artifacts, load_flags={}, settings=given)

    def post(self, report: AnyReport | None = None, when: CommentWhen = CommentWhen.ALWAYS) -> str:
        self.number += 1
        results.save_report(self.artifacts, run(self.number, report))
        said, *_ = results.publish(self.job(comment_when=when))
        return said


@pytest.fixture
def runs(fake: FakeGitHub, tmp_path: Path) -> Runs:
    return Runs(fake, tmp_path)


def test_twelve_runs_leave_one_comment_with_the_last_ten_under_it(fake: FakeGitHub, runs: Runs) -> None:
    for _ in range(12):
        runs.post()
    (body,) = fake.bodies().values()
    assert "Earlier results (10)" in body
    assert "Against " in body


def test_a_workflow_that_failed_before_its_load_test_leaves_no_good_result_standing(
    fake: FakeGitHub, runs: Runs
) -> None:
    runs.post()
    runs.artifacts.report("json").unlink()
    run_url, commit = "https://github.example/octo/service/actions/runs/9", "b" * 40
    runs_on = runs.job(job_failed=True, run_url=run_url, commit=commit)
    assert results.publish(runs_on)[:2] == (
        "comment updated: https://github.example/octo/service/pull/7#issuecomment-1",
        "status loadtest/ci of bbbbbbb: error",
    )
    (body,) = fake.bodies().values()
    assert body.splitlines()[1] == "## ❌ Not measured: nothing can be said"
    assert "a step of the workflow failed before there was a report" in body
    assert run_url in body.partition("Earlier results (1)")[0]


def test_a_workflow_that_was_cancelled_before_its_load_test_says_nothing(
    fake: FakeGitHub, runs: Runs
) -> None:
    (said,) = results.publish(runs.job())
    assert said.startswith("nothing to post")
    assert fake.comments == {}


def test_a_note_under_the_headline_does_not_cost_the_earlier_results(fake: FakeGitHub, runs: Runs) -> None:
    runs.post()
    fake.comments[1]["body"] = comment.with_note(fake.bodies()[1], "☑️ **Accepted**")
    runs.post()
    assert "Earlier results (1)" in fake.bodies()[1]


def test_anothers_comment_with_the_marker_is_neither_touched_nor_believed(
    fake: FakeGitHub, runs: Runs
) -> None:
    forged = comment.render(run(59, msgspec.structs.replace(values.report(), fingerprint="forged")))
    fake.add(forged, login="somebody")
    runs.post()
    assert fake.bodies()[1] == forged
    assert "forged" not in fake.bodies()[2]
    assert "Earlier results" not in fake.bodies()[2]


def test_a_comment_that_somebody_broke_is_written_anew_and_says_so(fake: FakeGitHub, runs: Runs) -> None:
    runs.post()
    broken = fake.bodies()[1].replace("loadproof-results:1 ", "loadproof-results:1 AAAA")
    fake.comments[1]["body"] = broken
    runs.post()
    assert "Not compared: earlier results are damaged" in fake.bodies()[1]
    runs.post()
    assert "Earlier results (1)" in fake.bodies()[1]


def test_of_two_comments_that_runs_at_once_left_the_older_ones_results_are_kept(
    fake: FakeGitHub, runs: Runs
) -> None:
    runs.post()
    fake.add(comment.render(run(58)))
    runs.post()
    assert list(fake.bodies()) == [1]
    assert kept_results.earlier_in(fake.bodies()[1], kept_results.result_of(run(2))).results == (
        kept_results.result_of(run(1)),
    )


FINDINGS = Findings(
    scanned_at="2026-02-02T02:39:00Z",
    parts=(
        PartFindings(part="manifests", counts={Severity.HIGH: 2}, left_out=()),
        PartFindings(part="images", counts=None, left_out=("<b>shop:ci</b>: no database",)),
    ),
)


def test_findings_of_a_scan_stand_in_the_comment_by_severity(fake: FakeGitHub, runs: Runs) -> None:
    records.save(FINDINGS, runs.artifacts.findings)
    runs.post(values.failure())
    assert "| manifests | 0 | 2 | 0 | 0 | 0 | 0 |" in fake.bodies()[1]
    assert (
        "| images: not scanned | missing | missing | missing | missing | missing | missing |"
        in fake.bodies()[1]
    )
    assert "- Left out of images: &#60;b&#62;shop&#58;ci&#60;/b&#62;: no database" in fake.bodies()[1]


@pytest.mark.parametrize("content", [b"{", b'{"problem": "\xff"}', b'{"x": ' + b"[" * 100_000])
def test_a_damaged_scan_keeps_no_comment_back(fake: FakeGitHub, runs: Runs, content: bytes) -> None:
    runs.artifacts.scan.mkdir(parents=True)
    runs.artifacts.findings.write_bytes(content)
    runs.post()
    assert "Not scanned: " in fake.bodies()[1]
    assert "findings.json cannot be read" in fake.bodies()[1]


def test_a_scan_that_is_missing_is_not_one_that_found_nothing(fake: FakeGitHub, runs: Runs) -> None:
    for report in (None, values.failure()):
        runs.post(report)
        assert "### Security scan\n\nNot scanned: " in fake.bodies()[1]


def test_quiet_means_that_good_runs_start_no_comment(fake: FakeGitHub, runs: Runs) -> None:
    said = runs.post(when=CommentWhen.CHANGES)
    assert said == "no comment posted: nothing in it would need anybody's attention"
    assert fake.comments == {}


@pytest.mark.parametrize(
    "report",
    [MISSED, values.failure(), values.cut_short(), values.report(values.summary(values.requests(0)))],
    ids=["missed", "not deployed", "cut short", "inconclusive"],
)
def test_quiet_or_not_what_is_wrong_is_said(fake: FakeGitHub, runs: Runs, report: AnyReport) -> None:
    assert runs.post(report, when=CommentWhen.CHANGES).startswith("comment posted")


def test_quiet_or_not_a_comment_that_is_there_follows_what_became_of_it(fake: FakeGitHub, runs: Runs) -> None:
    runs.post(MISSED, when=CommentWhen.CHANGES)
    assert runs.post(when=CommentWhen.CHANGES).startswith("comment updated")
    assert "✅ All objectives met" in fake.bodies()[1]
    assert "❌ Objective missed" in fake.bodies()[1].split("Earlier results (1)")[1]


def test_never_means_never(fake: FakeGitHub, runs: Runs) -> None:
    assert runs.post(MISSED, when=CommentWhen.NEVER) == "no comment posted: LOADPROOF_COMMENT is never"
    assert fake.requests == []
