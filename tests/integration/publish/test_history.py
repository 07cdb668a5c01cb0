"""The history: begun on a branch without code, a line a run, never twice the same one."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from loadtest import results
from loadtest.artifacts import Artifacts
from loadtest.errors import MachineError, UsageError
from loadtest.publish import history_branch
from loadtest.report import json_format
from loadtest.report.model import AnyReport
from loadtest.settings import Settings
from tests.integration.publish import github_server
from tests.integration.publish.github_server import FakeGitHub, Trouble
from tests.unit.report import values


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with github_server.running() as server:
        yield server


def keep(fake: FakeGitHub, folder: Path, report: AnyReport, stack: str = "ci") -> str:
    artifacts = Artifacts(root=folder)
    artifacts.report("json").write_text(json_format.render(report))
    settings = Settings(github_token="ghs_planted", github_api_url=fake.url, repository="octo/service")
    return results.keep_history(artifacts, stack=stack, settings=settings)


def of_night(report: AnyReport, number: int) -> AnyReport:
    run = replace(report.run, created_at=f"2026-01-{number:02}T03:17:00+00:00")
    return msgspec.structs.replace(report, run=run)


def nights(fake: FakeGitHub, stack: str = "ci") -> list[dict]:
    return [json.loads(line) for line in fake.branches["loadtest-history"][f"{stack}.jsonl"].splitlines()]


def test_the_first_night_begins_the_branch_and_the_next_adds_to_it(fake: FakeGitHub, tmp_path: Path) -> None:
    assert keep(fake, tmp_path, of_night(values.report(), 1)) == (
        "history kept: ci.jsonl on branch loadtest-history"
    )
    keep(fake, tmp_path, of_night(values.failure(), 2))
    keep(fake, tmp_path, of_night(values.report(), 3))
    assert [night["created_at"][:10] for night in nights(fake)] == ["2026-01-01", "2026-01-02", "2026-01-03"]
    assert [night["outcome"] for night in nights(fake)] == ["passed", "failed", "passed"]
    requests = values.report().summary.arms[0].combined
    assert requests.latency is not None
    assert nights(fake)[0]["latency_p95_ms"] == requests.latency.p95_ms
    assert nights(fake)[0]["achieved_rps"] == requests.achieved_rps
    assert "latency_p95_ms" not in nights(fake)[1]


def test_two_stacks_have_a_file_each(fake: FakeGitHub, tmp_path: Path) -> None:
    keep(fake, tmp_path, values.report())
    keep(fake, tmp_path, values.report(), stack="other")
    assert {name: len(nights(fake, name)) for name in ("ci", "other")} == {"ci": 1, "other": 1}


def test_a_line_whose_answer_got_lost_is_kept_once(fake: FakeGitHub, tmp_path: Path) -> None:
    keep(fake, tmp_path, of_night(values.report(), 1))
    fake.troubles = [Trouble(method="PUT", status=502, carried_out=True)]
    keep(fake, tmp_path, of_night(values.report(), 2))
    assert len(nights(fake)) == 2


def test_the_oldest_lines_go_where_the_file_would_grow_too_long(
    fake: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_branch, "_MOST_LINES", 2)
    for number in (1, 2, 3):
        keep(fake, tmp_path, of_night(values.report(), number))
    assert [night["created_at"][8:10] for night in nights(fake)] == ["02", "03"]


def test_a_night_that_cannot_be_kept_is_a_failure_that_says_why(fake: FakeGitHub, tmp_path: Path) -> None:
    fake.troubles = [Trouble(method="GET", status=403, message="Resource not accessible by integration")]
    with pytest.raises(MachineError, match="no history kept: GitHub answered 403") as caught:
        keep(fake, tmp_path, values.report())
    assert "contents: write" in caught.value.hint
    with pytest.raises(UsageError, match="no report to read"):
        results.keep_history(Artifacts(root=tmp_path / "none"), stack="ci", settings=Settings())
