"""The command line: every verb explains itself, wrong flags are wrong use, and no failure is a bare 1."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtest import cli
from loadtest.exit_codes import ExitCode

VERBS = [
    "check",
    "pipeline",
    "run",
    "monitor",
    "report",
    "comment",
    "command",
    "skip",
    "history",
    "scan",
    "init",
    "destroy",
]


@pytest.fixture(autouse=True)
def _the_log_is_closed_again() -> Iterator[None]:
    yield
    package = logging.getLogger("loadtest")
    for handler in package.handlers:
        handler.close()
    package.handlers, package.propagate = [], True


def help_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        cli.main([*arguments, "--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_the_help_lists_every_verb_and_every_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    text = help_of(capsys)
    assert [verb for verb in VERBS if f"    {verb} " not in text] == []
    assert [code for code in ExitCode if f"{code.value:>3}  " not in text] == []


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_shows_its_defaults_and_an_example(capsys: pytest.CaptureFixture[str], verb: str) -> None:
    text = help_of(capsys, verb)
    assert "(default: ci)" in text
    assert f"python -m loadtest {verb} --stack ci" in text


@pytest.mark.parametrize(
    "arguments",
    [[], ["no-such-verb"], ["run", "--engine", "no-such-engine"], ["monitor", "--duration", "0"]],
)
def test_wrong_flags_are_wrong_use(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == ExitCode.USAGE
    assert "usage:" in capsys.readouterr().err


def test_an_artifacts_folder_that_cannot_be_written_is_the_machines_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    code = cli.main(["report", "--artifacts", str(tmp_path / "file")])
    assert code is ExitCode.MACHINE
    assert "--artifacts names another folder" in capsys.readouterr().err


def test_a_defect_is_no_missed_objective(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("planted")

    monkeypatch.setattr("loadtest.pipeline.report_again", fail)
    assert cli.main(["report", "--artifacts", str(tmp_path)]) is ExitCode.INCONCLUSIVE
    assert "ZeroDivisionError: planted" in capsys.readouterr().err
    assert "Traceback" in (tmp_path / "logs" / "loadtest.jsonl").read_text()
