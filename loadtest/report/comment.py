"""The pull request's comment: the verdict first, what explains it open, the rest folded, within the limit.

Its first line is a hidden marker by which the next run finds it again.
"""

import re

from loadtest.report import (
    chaos_sections,
    failure,
    replica_sections,
    resource_sections,
    run_facts,
    sections,
    validity_sections,
)
from loadtest.report.layout import document, paragraphs
from loadtest.report.model import AnyReport, FailureReport, Report

_GITHUB_LIMIT_BYTES = 65_536  # GitHub counts characters; bytes are never fewer
_ROOM_FOR_NOTES_BYTES = 8_192
LIMIT_BYTES = _GITHUB_LIMIT_BYTES - _ROOM_FOR_NOTES_BYTES
_NOTE = "> "


def marker(stack: str) -> str:
    return f"<!-- loadproof:{re.sub('[^A-Za-z0-9._]+', '-', stack)} -->"


def render(report: AnyReport) -> str:
    match report:
        case Report():
            return _measured(report)
        case FailureReport():
            return _failed(report)


def with_note(text: str, note: str) -> str:
    """The comment with a line under its headline; a note that begins alike gives way to it."""
    marker_line, headline, *rest = text.splitlines()
    kind = note.partition(" ")[0]
    kept = "\n".join(line for line in rest if not line.startswith(f"{_NOTE}{kind} "))
    return paragraphs(f"{marker_line}\n{headline}", f"{_NOTE}{note}", kept.strip("\n")) + "\n"


def _measured(report: Report) -> str:
    parts = (
        sections.latency(report.summary),
        sections.objectives(report),
        validity_sections.validity(report),
        chaos_sections.chaos(report),
        replica_sections.replicas(report),
        resource_sections.resources(report, folded=True),
        run_facts.timings(report.timings, folded=True),
        sections.setup(report, folded=True),
        run_facts.origin(report.run, report.machine, folded=True),
    )
    return document(f"{marker(report.run.stack)}\n{sections.head(report)}", parts, limit_bytes=LIMIT_BYTES)


def _failed(report: FailureReport) -> str:
    parts = (
        *([sections.latency(report.summary)] if report.summary else []),
        failure.diagnostics(report),
        run_facts.timings(report.timings, folded=True),
        run_facts.origin(report.run, report.machine, folded=True),
    )
    return document(f"{marker(report.run.stack)}\n{failure.head(report)}", parts, limit_bytes=LIMIT_BYTES)
