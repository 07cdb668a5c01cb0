"""A report from another workflow run: posted where the event says, refused where it is none, never acting."""

import json
import os
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import ZipInfo

import pytest

from loadtest import received, results
from loadtest.errors import UsageError
from loadtest.github_event import HeadRepository, Owner, WorkflowRun
from loadtest.report import comment, json_format, markdown
from loadtest.settings import Settings
from tests.commands import PROJECT
from tests.integration.publish import github_server
from tests.integration.publish.github_server import FakeGitHub
from tests.unit.report import values
from tests.unit.report.test_comment import kinds
from tests.unit.report.test_escape import HOSTILE


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with github_server.running() as server:
        server.head_owner = "forker"
        yield server


def settings_for(fake: FakeGitHub, *, sha: str | None = None, branch: str = "feature") -> Settings:
    sha = sha or fake.head
    run = WorkflowRun(
        id=5,
        head_sha=sha,
        head_branch=branch,
        head_repository=HeadRepository(owner=Owner(login="forker")),
    )
    return Settings(
        github_token="ghs_planted_secret",
        github_api_url=fake.url,
        repository="octo/service",
        commit=sha,
        run_url="https://github.example/octo/service/actions/runs/5",
        workflow_run=run,
    )


def save(folder: Path, report: Any) -> Path:
    """As the workflow receives an artifact: an archive, alone in a folder."""
    text = report if isinstance(report, str) else json_format.render(report)
    return pack(folder, {"report.json": text, "logs/loadtest.jsonl": "{}"})


def pack(folder: Path, files: dict[str | ZipInfo, str], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    received = folder / "received"
    received.mkdir(exist_ok=True)
    with zipfile.ZipFile(received / "loadtest.zip", "w", compression) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return received


def post(folder: Path, settings: Settings) -> tuple[str, ...]:
    return results.publish_received(folder, stack="ci", settings=settings)


def test_a_forks_report_gets_its_comment_and_status(fake: FakeGitHub, tmp_path: Path) -> None:
    said = post(save(tmp_path, values.report()), settings_for(fake))
    assert said == (
        "comment posted: https://github.example/octo/service/pull/7#issuecomment-1",
        "status loadtest/ci of aaaaaaa: success",
    )
    marker, headline, _, note, *_ = fake.bodies()[1].splitlines()
    assert marker == "<!-- loadproof:ci -->"
    assert headline.startswith("## ✅ All objectives met")
    assert "the figures are what that code says" in note


def test_whose_report_it_is_the_event_says_and_not_the_report(fake: FakeGitHub, tmp_path: Path) -> None:
    claims = json.loads(json_format.render(values.report()))
    claims["run"] = {
        "stack": "production",
        "created_at": "2026-01-01T00:00:00+00:00",
        "commit": "c0ffee" * 6 + "c0ff",
        "repository": "octo/other",
        "pull_request": 1,
        "run_url": "https://evil.example/",
    }
    said = post(save(tmp_path, json.dumps(claims)), settings_for(fake))
    (body,) = fake.bodies().values()
    assert "/pull/7#" in said[0]
    assert body.startswith("<!-- loadproof:ci -->")
    assert [word for word in ("production", "c0ffee", "octo/other", "evil.example") if word in body] == []
    assert list(fake.statuses) == [fake.head]


@pytest.mark.parametrize(
    "change", [{"sha": "b" * 40}, {"branch": "other"}], ids=["a newer commit", "another branch"]
)
def test_without_a_pull_request_of_that_commit_nothing_is_posted(
    fake: FakeGitHub, tmp_path: Path, change: dict[str, str]
) -> None:
    (said,) = post(save(tmp_path, values.report()), settings_for(fake, **change))
    assert "no open pull request has that commit as its newest any more" in said
    assert (fake.comments, fake.statuses) == ({}, {})


def test_the_number_by_hand_is_taken_as_it_is(fake: FakeGitHub, tmp_path: Path) -> None:
    settings = replace(settings_for(fake, branch="gone"), pull_request=7)
    assert post(save(tmp_path, values.report()), settings)[0].startswith("comment posted: ")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("", "not a report"),
        ("[]", "not a report"),
        ('{"kind": "measured"}', "not a report"),
        ('{"kind": "failed", "schema_version": 2}', "not a report"),
        ('{"other": ' + "[" * 100_000, "not a report"),
        (" " * (received.LIMIT_BYTES + 1), "larger than"),
    ],
    ids=["empty", "a list", "half a report", "another version", "without a bottom", "too large"],
)
def test_what_is_no_report_is_refused(fake: FakeGitHub, tmp_path: Path, content: str, found: str) -> None:
    (said,) = post(save(tmp_path, content), settings_for(fake))
    assert found in said
    assert fake.comments == {}


def test_a_link_out_of_the_artifact_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "report.json"
    secret.write_text(json_format.render(values.report()))
    link = ZipInfo("report.json")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(UsageError, match="not a report"):
        received.read(pack(tmp_path, {link: str(secret)}), stack="ci", settings=Settings())


def test_nothing_of_an_artifact_is_written_anywhere(tmp_path: Path) -> None:
    files = {"report.json": json_format.render(values.report()), "../outside.py": "x", "/tmp/outside.py": "x"}
    folder = pack(tmp_path, files)
    received.read(folder, stack="ci", settings=Settings())
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == [folder / "loadtest.zip"]


def test_an_archive_that_is_small_only_while_it_is_packed_is_not_read_to_its_end(tmp_path: Path) -> None:
    folder = pack(tmp_path, {"report.json": " " * (50 * received.LIMIT_BYTES)})
    assert (folder / "loadtest.zip").stat().st_size < received.LIMIT_BYTES
    with pytest.raises(UsageError, match="larger than"):
        received.read(folder, stack="ci", settings=Settings())


def test_what_is_no_archive_of_a_run_is_refused(tmp_path: Path) -> None:
    folder = pack(tmp_path, {"other.json": "{}"})
    archive = folder / "loadtest.zip"
    cases: list[tuple[str, Callable[[], object]]] = [
        ("holds no report", lambda: None),
        ("cannot be read", lambda: archive.write_bytes(b"no archive")),
        ("larger than", lambda: os.truncate(archive, received.ARCHIVE_LIMIT_BYTES + 1)),
        ("no artifact was received", lambda: (folder / "another").touch()),
        ("no artifact was received", lambda: (archive.unlink(), (folder / "another").unlink())),
        ("no artifact was received", lambda: archive.symlink_to("/etc/passwd")),
        ("no artifact was received", lambda: (archive.unlink(), folder.rmdir())),
    ]
    for found, change in cases:
        change()
        with pytest.raises(UsageError, match=found):
            received.read(folder, stack="ci", settings=Settings())


@pytest.mark.parametrize("damage", [slice(40, 60), slice(-30, -20), slice(0, 4)])
def test_a_damaged_archive_is_refused_and_no_defect(tmp_path: Path, damage: slice) -> None:
    archive = save(tmp_path, values.report()) / "loadtest.zip"
    content = bytearray(archive.read_bytes())
    content[damage] = b"\xff" * len(content[damage])
    archive.write_bytes(content)
    with pytest.raises(UsageError):
        received.read(archive.parent, stack="ci", settings=Settings())


def test_an_archive_packed_in_another_way_is_refused(tmp_path: Path) -> None:
    folder = pack(tmp_path, {"report.json": "{}"}, zipfile.ZIP_LZMA)
    with pytest.raises(UsageError, match="no run packs it"):
        received.read(folder, stack="ci", settings=Settings())


def forged(report: Any, told: str | float) -> str:
    """The report with that in the place of every text, or every figure, where the schema lets it through."""
    content = json.loads(json_format.render(report))
    for *way, last in list(told_of(content, str if isinstance(told, str) else (int, float))):
        place = content
        for step in way:
            place = place[step]
        before, place[last] = place[last], told
        try:
            json_format.parse(json.dumps(content))
        except UsageError:  # the name of an engine, an outcome, a tag: one of a few words
            place[last] = before
    return json.dumps(content)


def told_of(value: Any, kind: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, one in steps:
        if isinstance(one, kind) and not isinstance(one, bool):
            yield (*before, step)
        yield from told_of(one, kind, (*before, step))


@pytest.mark.parametrize("word", HOSTILE)
@pytest.mark.parametrize("kind", ["measured", "failed"])
def test_no_text_anywhere_in_a_forged_report_acts(tmp_path: Path, kind: str, word: str) -> None:
    report = values.report() if kind == "measured" else values.failure(diagnostics_tail=("last line",))
    made_of = []
    # A failure's reason is shown line by line, so that it takes as many lines to look the same.
    harmless = "\n".join("harmless" for line in word.splitlines() if line.strip()) or "harmless"
    for told in (harmless, word):
        content = forged(report, told)
        assert content.count(json.dumps(told)) > 5
        shown = received.read(save(tmp_path, content), stack="ci", settings=Settings())
        assert comment.render(shown).startswith("<!-- loadproof:ci -->\n## ")
        made_of.append([kinds(render(shown)) for render in (comment.render, markdown.render)])
    assert made_of[0] == made_of[1]


@pytest.mark.parametrize("figure", [0, -1, 10**18, 1e308, -1e308, 1e-320])
@pytest.mark.parametrize("kind", ["measured", "failed"])
def test_no_figure_anywhere_in_a_forged_report_keeps_it_from_being_shown(
    tmp_path: Path, kind: str, figure: float
) -> None:
    report = values.report() if kind == "measured" else values.failure(diagnostics_tail=("last line",))
    shown = received.read(save(tmp_path, forged(report, figure)), stack="ci", settings=Settings())
    assert comment.render(shown).startswith("<!-- loadproof:ci -->\n## ")
    assert markdown.render(shown).startswith("## ")


@pytest.mark.parametrize("artifact", [True, False], ids=["with a report", "without a report"])
def test_the_command_line_posts_it_by_the_event_alone(
    fake: FakeGitHub, tmp_path: Path, artifact: bool
) -> None:
    folder = save(tmp_path, values.report()) if artifact else tmp_path / "received"
    event = tmp_path / "event.json"
    owner = {"owner": {"login": "forker"}}
    run = {"id": 5, "head_sha": fake.head, "head_branch": "feature", "head_repository": owner}
    event.write_text(json.dumps({"action": "completed", "workflow_run": run}))
    flags = ("--stack", "ci", "--artifacts", str(tmp_path / "own"), "--from-artifact", str(folder))
    done = subprocess.run(
        (sys.executable, "-m", "loadtest", "comment", *flags),
        env={
            "GITHUB_TOKEN": "ghs_planted_secret",
            "GITHUB_API_URL": fake.url,
            "GITHUB_REPOSITORY": "octo/service",
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_SHA": "f" * 40,
        },
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert ("comment posted: " in done.stdout) is artifact
    assert ("nothing to post: no artifact was received" in done.stdout) is not artifact
    assert list(fake.statuses) == [fake.head] * artifact
    assert (
        "ghs_planted_secret"
        not in done.stdout + done.stderr + (tmp_path / "own/logs/loadtest.jsonl").read_text()
    )
