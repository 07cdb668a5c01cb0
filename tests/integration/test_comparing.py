"""`loadtest compare` and `report --open`, as somebody calls them."""

import logging
import webbrowser
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from loadtest.cli import main
from loadtest.exit_codes import ExitCode
from loadtest.report import FORMATS
from tests.unit.report import values


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The artifacts of two runs that measured something and one that did not."""
    monkeypatch.chdir(tmp_path)
    after = msgspec.structs.replace(values.open_loop(), fingerprint="ba9876543210")
    reports = {"before": values.report(), "after": after, "failed": values.failure()}
    for name, report in reports.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "report.json").write_text(FORMATS["json"](report))
    yield tmp_path
    package = logging.getLogger("loadtest")
    for handler in package.handlers:
        handler.close()
    package.handlers, package.propagate = [], True


def test_two_runs_give_a_table_and_a_page(folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["compare", "before", "after/report.json"])
    told = capsys.readouterr().out
    assert code is ExitCode.PASSED
    assert "plan.profile.kind: closed in the first, constant_rate in the second" in told
    assert "difference ms" in told
    assert str(folders / "artifacts" / "compare.html") in told
    assert "not to be compared" in (folders / "artifacts" / "compare.html").read_text()


@pytest.mark.parametrize(
    ("second", "said"),
    [("failed", "measured nothing"), ("nowhere", "no report to read"), ("x.json", "not a")],
)
def test_what_cannot_be_compared_is_refused_in_words(
    folders: Path, capsys: pytest.CaptureFixture[str], second: str, said: str
) -> None:
    (folders / "x.json").write_text("{}")
    assert main(["compare", "before", second]) is ExitCode.USAGE
    assert said in capsys.readouterr().err
    assert not (folders / "artifacts" / "compare.html").exists()


@pytest.mark.parametrize(("there", "said"), [(True, "opened: "), (False, "no browser was found")])
def test_a_page_is_opened_where_there_is_a_browser(
    folders: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    there: bool,
    said: str,
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda address: asked.append(address) or there)
    assert main(["compare", "before", "after", "--open"]) is ExitCode.PASSED
    assert asked == [(folders / "artifacts" / "compare.html").as_uri()]
    assert said in capsys.readouterr().out
