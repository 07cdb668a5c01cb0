"""What a comment asks for is done for those who may write, and for nobody else."""

from collections.abc import Iterator

import pytest

from loadtest.errors import MachineError, UsageError
from loadtest.github_event import Comment, Owner
from loadtest.publish import carry_out
from loadtest.report import comment as report_comment
from loadtest.settings import Settings
from tests.integration.publish import github_server
from tests.integration.publish.github_server import FakeGitHub, Trouble

MISSED = {"context": "loadtest/ci", "state": "failure", "description": "❌ Objective missed: p95 90 ms"}
REPORTED = "<!-- loadproof:ci -->\n## ❌ Objective missed: p95 90 ms\n\n- too slow\n"


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with github_server.running() as server:
        server.permissions = {"maintainer": "write", "owner": "admin", "reader": "read"}
        server.statuses = {server.head: [MISSED]}
        server.add(REPORTED)
        yield server


def ask(fake: FakeGitHub, body: str, login: str = "maintainer") -> str:
    number = fake.add(body, login=login)
    settings = Settings(
        github_token="ghs_planted_secret",
        github_api_url=fake.url,
        repository="octo/service",
        pull_request=7,
        comment=Comment(id=number, body=body, user=Owner(login=login)),
    )
    return carry_out(settings, stack="ci")


@pytest.mark.parametrize("login", ["maintainer", "owner"])
def test_a_missed_objective_is_accepted_with_who_and_why(fake: FakeGitHub, login: str) -> None:
    said = ask(fake, "/loadtest accept slower by design, see #12\r\nand more words", login)
    assert said == "status loadtest/ci of aaaaaaa: success"
    newest, before = fake.statuses[fake.head]
    assert before == MISSED
    assert newest["state"] == "success"
    assert newest["description"] == (
        f"accepted by {login}: slower by design, see #12 (was: ❌ Objective missed: p95 90 ms)"
    )
    assert fake.reactions == [(2, "+1")]


def test_the_comment_says_who_accepted_and_keeps_its_verdict(fake: FakeGitHub) -> None:
    ask(fake, "/loadtest accept slower by <b>design</b>, cc @everyone")
    assert fake.bodies()[1] == (
        "<!-- loadproof:ci -->\n## ❌ Objective missed: p95 90 ms\n\n"
        "> ☑️ **Accepted** for commit `aaaaaaa` by `maintainer`: "
        "slower by &#60;b&#62;design&#60;/b&#62;, cc &#64;&#8203;everyone\n\n- too slow\n"
    )


def test_another_acceptance_takes_the_place_of_the_first_one(fake: FakeGitHub) -> None:
    ask(fake, "/loadtest accept first")
    fake.statuses[fake.head].insert(0, MISSED)  # measured again, missed again, comment not renewed
    ask(fake, "/loadtest accept second")
    body = fake.bodies()[1]
    assert ("first" in body, body.count("Accepted"), body.count("\n\n\n")) == (False, 1, 0)


@pytest.mark.parametrize("state", ["success", "error", "pending"])
def test_only_a_missed_objective_can_be_accepted(fake: FakeGitHub, state: str) -> None:
    fake.statuses[fake.head] = [{**MISSED, "state": state}, MISSED]
    with pytest.raises(UsageError, match=f"nothing to accept: .* is {state}"):
        ask(fake, "/loadtest accept please")
    assert len(fake.statuses[fake.head]) == 2
    assert fake.bodies()[1] == REPORTED


def test_a_commit_that_was_pushed_since_is_not_accepted_with_the_measured_one(fake: FakeGitHub) -> None:
    fake.head = "b" * 40
    with pytest.raises(UsageError, match="of bbbbbbb is not there"):
        ask(fake, "/loadtest accept please")
    assert fake.bodies()[1] == REPORTED


def test_a_run_that_ended_is_started_again(fake: FakeGitHub) -> None:
    fake.add_run(sha="c" * 40)
    fake.add_run()
    assert ask(fake, "  /loadtest   rerun  ") == (
        "started again: https://github.example/octo/service/actions/runs/2"
    )
    assert [run["status"] for run in fake.runs] == ["queued", "completed"]
    assert fake.reactions == [(2, "+1")]


def test_a_run_that_skipped_everything_is_not_taken_for_the_one_to_start_again(fake: FakeGitHub) -> None:
    fake.add_run()
    fake.add_run(conclusion="skipped")
    assert ask(fake, "/loadtest rerun").endswith("/runs/1")
    assert [run["status"] for run in fake.runs] == ["completed", "queued"]


def test_a_run_that_is_under_way_is_not_started_again(fake: FakeGitHub) -> None:
    fake.add_run(status="in_progress")
    with pytest.raises(UsageError, match=r"under way already: .*/runs/1"):
        ask(fake, "/loadtest rerun")
    assert fake.reactions == [(2, "-1")]


def test_without_a_run_of_the_commit_there_is_none_to_start_again(fake: FakeGitHub) -> None:
    with pytest.raises(UsageError, match="never ran for aaaaaaa"):
        ask(fake, "/loadtest rerun")


@pytest.mark.parametrize("login", ["reader", "stranger"])
@pytest.mark.parametrize("body", ["/loadtest rerun", "/loadtest accept because I say so"])
def test_who_may_not_write_changes_nothing(fake: FakeGitHub, login: str, body: str) -> None:
    fake.add_run()
    with pytest.raises(UsageError, match=f"{login} may not write"):
        ask(fake, body, login)
    assert fake.statuses == {fake.head: [MISSED]}
    assert fake.runs[0]["status"] == "completed"
    assert fake.bodies()[1] == REPORTED
    assert fake.reactions == [(2, "-1")]


@pytest.mark.parametrize(
    "body",
    ["/loadtest", "/loadtest accept", "/loadtest accept   ", "/loadtest rerun now", "/loadtests rerun", "hm"],
)
def test_what_is_no_command_is_told_how_one_looks(fake: FakeGitHub, body: str) -> None:
    with pytest.raises(UsageError) as caught:
        ask(fake, body)
    assert "/loadtest accept <reason>" in caught.value.hint
    assert fake.statuses == {fake.head: [MISSED]}


def test_a_token_that_may_not_is_the_machines_fault_and_said(fake: FakeGitHub) -> None:
    fake.troubles = [Trouble(method="GET", status=403, message="Resource not accessible by integration")]
    with pytest.raises(MachineError, match="not carried out: GitHub answered 403") as caught:
        ask(fake, "/loadtest rerun")
    assert "actions" in caught.value.hint


def test_without_a_comment_in_the_event_it_is_wrong_use() -> None:
    with pytest.raises(UsageError, match="no comment on a pull request"):
        carry_out(Settings(github_token="t", repository="octo/service", pull_request=7), stack="ci")


def test_a_note_keeps_a_comment_of_the_greatest_length_within_what_github_takes() -> None:
    long = "<!-- m -->\n## head\n\n" + "x" * (report_comment.LIMIT_BYTES - 20) + "\n"
    assert len(report_comment.with_note(long, "☑️ " + "y" * 3_000).encode()) <= 65_536
