"""The parts that reports of measured and of failed runs have in common: who ran, where, and how long."""

from collections.abc import Sequence

from loadtest.machine import Machine
from loadtest.report import escape
from loadtest.report.layout import Section, items, table
from loadtest.report.machine_sections import machine_words
from loadtest.report.model import RunIdentity, StageTiming

_OUTCOME_MARKS = {"ok": "✅", "failed": "❌"}


def timings(stages: Sequence[StageTiming], *, folded: bool = False) -> Section:
    rows = [
        (
            f"{_OUTCOME_MARKS[one.outcome]} {escape.inline(one.stage)}",
            _seconds(one.duration_s),
        )
        for one in stages
    ]
    total = ("**all stages so far**", _seconds(sum(one.duration_s for one in stages)))
    body = table(("stage", "seconds"), [*rows, total]) if stages else ""
    return Section(title="Stages", body=body, folded=folded)


def origin(
    run: RunIdentity, machine: Machine, *, further: Sequence[str] = (), folded: bool = False
) -> Section:
    lines = [
        f"Stack {escape.code(run.stack)}, {escape.code(run.created_at)}",
        *([f"Commit {escape.code(run.commit)}"] if run.commit else []),
        *([escape.link("Workflow run", run.run_url)] if run.run_url else []),
        machine_words(machine),
        *further,
    ]
    return Section(title="Run and machine", body=items(lines), folded=folded)


def _seconds(duration_s: float) -> str:
    return f"{duration_s:.1f}"
