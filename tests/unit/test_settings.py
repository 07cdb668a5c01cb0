"""The environment as a value: read whole, never failing, secrets hidden."""

import json
from pathlib import Path

import pytest

from loadtest import settings
from loadtest.settings import VARIABLES, CommentWhen, Settings

WORKFLOW = {
    "GITHUB_TOKEN": "ghs_planted_secret",
    "GITHUB_REPOSITORY": "octo/service",
    "GITHUB_API_URL": "https://github.example/api/v3",
    "GITHUB_SHA": "merge-commit",
    "GITHUB_SERVER_URL": "https://github.example",
    "GITHUB_RUN_ID": "42",
    "GITHUB_STEP_SUMMARY": "/tmp/summary.md",
}


@pytest.fixture
def event(tmp_path: Path) -> Path:
    file = tmp_path / "event.json"
    file.write_text(
        json.dumps({"action": "opened", "pull_request": {"number": 7, "head": {"sha": "head-commit"}}})
    )
    return file


def test_a_workflow_on_a_pull_request_is_read_whole(event: Path) -> None:
    assert settings.read({**WORKFLOW, "GITHUB_EVENT_PATH": str(event)}) == Settings(
        github_token="ghs_planted_secret",
        github_api_url="https://github.example/api/v3",
        repository="octo/service",
        pull_request=7,
        commit="head-commit",
        run_url="https://github.example/octo/service/actions/runs/42",
        step_summary=Path("/tmp/summary.md"),
    )


@pytest.mark.parametrize(("status", "failed"), [("failure", True), ("success", False), ("cancelled", False)])
def test_only_a_job_that_failed_has_failed(status: str, failed: bool) -> None:
    assert settings.read({"LOADPROOF_JOB_STATUS": status}).job_failed is failed


def test_an_empty_environment_gives_the_defaults() -> None:
    assert settings.read({}) == Settings()


def test_blank_variables_count_as_not_set() -> None:
    assert settings.read(dict.fromkeys(VARIABLES, " ")) == Settings()


def test_the_number_by_hand_beats_the_event(event: Path) -> None:
    given = {"LOADPROOF_PULL_REQUEST": "8", "GITHUB_EVENT_PATH": str(event)}
    assert settings.read(given).pull_request == 8


def test_an_event_without_a_pull_request_leaves_the_pushed_commit(tmp_path: Path) -> None:
    push = tmp_path / "event.json"
    push.write_text('{"ref": "refs/heads/main"}')
    read = settings.read({"GITHUB_EVENT_PATH": str(push), "GITHUB_SHA": "pushed-commit"})
    assert (read.pull_request, read.commit, read.problems) == (None, "pushed-commit", ())


def test_the_end_of_another_workflow_says_what_that_one_ran(tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    run = {
        "id": 41,
        "head_sha": "a" * 40,
        "head_branch": "feature",
        "head_repository": {"owner": {"login": "forker"}},
        "pull_requests": [],
    }
    file.write_text(json.dumps({"action": "completed", "workflow_run": run}))
    read = settings.read({**WORKFLOW, "GITHUB_EVENT_PATH": str(file)})
    assert (read.commit, read.pull_request) == ("a" * 40, None)
    assert read.run_url == "https://github.example/octo/service/actions/runs/41"
    assert read.workflow_run is not None
    assert read.workflow_run.head_repository is not None
    assert read.workflow_run.head_repository.owner.login == "forker"


@pytest.mark.parametrize(("pull_request", "number"), [({"url": "u"}, 7), (None, None)])
def test_a_comment_belongs_to_a_pull_request_or_to_an_issue(
    tmp_path: Path, pull_request: dict[str, str] | None, number: int | None
) -> None:
    file = tmp_path / "event.json"
    comment = {"id": 3, "body": "/loadtest rerun", "user": {"login": "dependabot[bot]"}}
    issue = {"number": 7} | ({"pull_request": pull_request} if pull_request else {})
    file.write_text(json.dumps({"action": "created", "comment": comment, "issue": issue}))
    read = settings.read({"GITHUB_EVENT_PATH": str(file)})
    assert read.pull_request == number
    assert read.comment is not None
    assert (read.comment.id, read.comment.body) == (3, "/loadtest rerun")


def test_every_variable_that_makes_no_sense_is_named_and_left_out(tmp_path: Path) -> None:
    read = settings.read(
        {
            "GITHUB_EVENT_PATH": str(tmp_path / "none.json"),
            "GITHUB_REPOSITORY": "service",
            "GITHUB_API_URL": "ftp://github.example",
            "LOADPROOF_PULL_REQUEST": "seven",
            "LOADPROOF_COMMENT": "sometimes",
        }
    )
    assert (read.repository, read.pull_request, read.github_api_url) == (None, None, "https://api.github.com")
    assert [problem.split()[0] for problem in read.problems] == [
        "the",
        "GITHUB_REPOSITORY",
        "GITHUB_API_URL",
        "LOADPROOF_PULL_REQUEST",
        "LOADPROOF_COMMENT",
    ]
    assert read.comment_when is CommentWhen.ALWAYS
    assert read.problems[-1] == "LOADPROOF_COMMENT is 'sometimes', it has to be always or changes or never"


@pytest.mark.parametrize("when", CommentWhen)
def test_when_to_comment_is_one_of_three_words(when: CommentWhen) -> None:
    assert settings.read({"LOADPROOF_COMMENT": str(when)}).comment_when is when


@pytest.mark.parametrize("content", ["{", '{"pull_request": {"number": "7"}}', "[]"])
def test_an_event_of_another_shape_is_a_problem_and_no_crash(tmp_path: Path, content: str) -> None:
    file = tmp_path / "event.json"
    file.write_text(content)
    (problem,) = settings.read({"GITHUB_EVENT_PATH": str(file)}).problems
    assert problem.startswith("the event at GITHUB_EVENT_PATH cannot be read")


def test_the_token_is_not_in_the_repr_and_is_named_as_a_secret() -> None:
    read = settings.read(WORKFLOW)
    assert "ghs_planted_secret" not in repr(read)
    assert read.secrets() == ("ghs_planted_secret",)
