"""Two reports read, held against each other, and told: a page among the artifacts, a table for a terminal."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from loadtest.artifacts import Artifacts
from loadtest.errors import UsageError
from loadtest.report import json_format
from loadtest.report import two_runs_sections as sections
from loadtest.report.model import FailureReport, Report
from loadtest.report.page import two_runs_page
from loadtest.report.two_runs import TwoRuns, two_runs

_WIDTH_CHARS = 120


def compare(first: Path, second: Path, artifacts: Artifacts) -> str:
    """What to say; raises UsageError where one of them is no report of a load."""
    runs = two_runs(_measured(first), _measured(second))
    artifacts.root.mkdir(parents=True, exist_ok=True)
    artifacts.two_runs.write_text(two_runs_page.render(runs))
    told = (sections.headline(runs), *(f"- {one}" for one in sections.words(runs)), _table(runs))
    return "\n".join((*told, f"all of it: {artifacts.two_runs}"))


def _measured(path: Path) -> Report:
    file = Artifacts(root=path).report("json") if path.is_dir() else path
    report = json_format.load(file)
    if isinstance(report, FailureReport):
        raise UsageError(
            f"{file} is of a run that measured nothing: {report.reason}",
            hint="Only runs that sent their whole load can be put side by side.",
        )
    return report


def _table(runs: TwoRuns) -> str:
    table = Table(*sections.HEADER, box=None)
    for column in table.columns[2:-1]:
        column.justify = "right"
    for row in sections.rows(runs):
        table.add_row(*row)
    console = Console(width=_WIDTH_CHARS, color_system=None, markup=False, highlight=False, emoji=False)
    with console.capture() as captured:
        console.print(table)
    return captured.get().rstrip("\n")
