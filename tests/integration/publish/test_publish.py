"""Publishing as a run calls it: it posts where it can, says what became of it, and never fails."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from loadtest import results
from loadtest.publish import job_summary, publish
from loadtest.publish.commit_status import CommitStatus, State
from loadtest.settings import Settings
from tests.integration.publish import github_server
from tests.integration.publish.github_server import FakeGitHub, Trouble

MARKER = "<!-- loadproof:ci -->"
COMMENT = f"{MARKER}\n## verdict"
STATUS = CommitStatus(
    context="loadtest/ci", state=State.FAILURE, description=f"❌ Objective missed: {'x' * 200}"
)


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with github_server.running() as server:
        yield server


def settings_for(fake: FakeGitHub, step_summary: Path | None = None) -> Settings:
    return Settings(
        github_token="ghs_planted_secret",
        github_api_url=fake.url,
        repository="octo/service",
        pull_request=7,
        step_summary=step_summary,
    )


def publish_with(settings: Settings) -> tuple[str, ...]:
    return publish(
        compose=lambda there: COMMENT,
        marker=MARKER,
        status=STATUS,
        summary="# full report\n",
        settings=settings,
    )


def test_in_a_workflow_both_places_are_written(fake: FakeGitHub, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("another step's\n")
    said = publish_with(settings_for(fake, summary))
    assert list(fake.bodies().values()) == [COMMENT]
    assert summary.read_text() == "another step's\n# full report\n"
    assert said == (
        "comment posted: https://github.example/octo/service/pull/7#issuecomment-1",
        "job summary written",
    )


def test_the_commit_gets_the_verdict_in_a_line_no_longer_than_github_takes(fake: FakeGitHub) -> None:
    said = publish_with(replace(settings_for(fake), commit=fake.head))
    assert said[1] == "status loadtest/ci of aaaaaaa: failure"
    ((status,),) = fake.statuses.values()
    assert (status["state"], status["context"]) == ("failure", "loadtest/ci")
    assert status["description"].startswith("❌ Objective missed: xxx")
    assert len(status["description"]) == 140


def test_a_token_that_may_not_set_statuses_is_told_what_it_lacks(fake: FakeGitHub) -> None:
    refusal = Trouble(method="POST", status=403, message="Resource not accessible by integration")
    fake.troubles = [refusal]
    said = publish_with(replace(settings_for(fake), commit=fake.head, pull_request=None))
    assert said[1].startswith("no status set: GitHub answered 403")
    assert "statuses: write" in said[1]


def test_outside_a_workflow_it_says_what_is_not_given() -> None:
    assert publish_with(Settings()) == (
        "no comment posted: GITHUB_TOKEN, GITHUB_REPOSITORY, "
        "a pull request (GITHUB_EVENT_PATH or LOADPROOF_PULL_REQUEST) not given",
    )


def test_only_what_is_missing_is_named() -> None:
    said = publish_with(Settings(github_token="t", repository="octo/service"))
    assert said == (
        "no comment posted: a pull request (GITHUB_EVENT_PATH or LOADPROOF_PULL_REQUEST) not given",
    )


def test_problems_of_the_environment_are_said() -> None:
    said = publish_with(Settings(problems=("LOADPROOF_PULL_REQUEST is 'seven'",)))
    assert said[0] == "LOADPROOF_PULL_REQUEST is 'seven'"


def test_a_refused_comment_does_not_keep_the_summary_from_being_written(
    fake: FakeGitHub, tmp_path: Path
) -> None:
    fake.troubles = [Trouble(method="GET", status=403, message="Resource not accessible by integration")]
    said = publish_with(settings_for(fake, tmp_path / "summary.md"))
    assert said[0].startswith("no comment posted: GitHub answered 403 Resource not accessible by integration")
    assert "pull-requests: write" in said[0]
    assert said[1] == "job summary written"


def test_an_answer_no_client_expects_does_not_fail_the_run(
    fake: FakeGitHub, caplog: pytest.LogCaptureFixture
) -> None:
    fake.troubles = [Trouble(method="GET", status=200, body=b"<html>log in to this network</html>")]
    (said,) = publish_with(settings_for(fake))
    assert said.startswith("not published: ")
    assert "publishing failed in a way nobody foresaw" in caplog.text
    assert "ghs_planted_secret" not in caplog.text


def test_a_summary_that_would_grow_too_long_is_left_as_it_is(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    there = "x" * (job_summary.LIMIT_BYTES - 5)
    summary.write_text(there)
    said = publish_with(Settings(step_summary=summary))
    assert said[1].startswith("no job summary: 1,048,571 bytes are there and the report has 14")
    assert summary.read_text() == there


def test_a_summary_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    said = publish_with(Settings(step_summary=tmp_path / "no folder" / "summary.md"))
    assert said[1].endswith("cannot be written (No such file or directory)")


def test_a_pull_request_that_is_skipped_gets_its_status_all_the_same(fake: FakeGitHub) -> None:
    settings = replace(settings_for(fake), commit=fake.head)
    assert results.say_skipped("ci", settings) == "status loadtest/ci of aaaaaaa: success"
    ((status,),) = fake.statuses.values()
    assert status["description"] == "not measured: the pull request has the label skip-loadtest"


def test_a_fork_that_is_skipped_is_told_why_it_has_no_status(fake: FakeGitHub) -> None:
    fake.troubles = [Trouble(method="POST", status=403, message="Resource not accessible by integration")]
    said = results.say_skipped("ci", replace(settings_for(fake), commit=fake.head))
    assert said.startswith("no status set: GitHub answered 403")
