"""The pull request's comment: the verdict first, what explains it open, the rest folded, within the limit.

Its first line is a hidden marker by which the next run finds it again; its last one, hidden as well, keeps
the figures that the next run is held against.
"""

import re
from collections.abc import Sequence

from loadtest.report import (
    change_sections,
    chaos_sections,
    escape,
    failure,
    histogram,
    host_sections,
    kept_results,
    machine_sections,
    replica_sections,
    resource_sections,
    run_facts,
    sections,
    security_sections,
    validity_sections,
)
from loadtest.report.kept_results import Earlier, Result
from loadtest.report.layout import Section, document, paragraphs
from loadtest.report.model import AnyReport, FailureReport, Report, RunIdentity
from loadtest.slo import VerdictStatus

_GITHUB_LIMIT_BYTES = 65_536  # GitHub counts characters; bytes are never fewer
_ROOM_FOR_NOTES_BYTES = 8_192
LIMIT_BYTES = _GITHUB_LIMIT_BYTES - _ROOM_FOR_NOTES_BYTES
_COMMIT_CHARS = 7
_NOTE = "> "


def marker(stack: str) -> str:
    return f"<!-- loadproof:{re.sub('[^A-Za-z0-9._]+', '-', stack)} -->"


def render(report: AnyReport) -> str:
    """As of a first run: what earlier ones came to stands in the comment that is there."""
    return after(report, "")


def after(report: AnyReport, comment: str) -> str:
    """The comment that takes the place of that one, with what it kept of earlier runs."""
    now = kept_results.result_of(report)
    earlier = kept_results.earlier_in(comment, now)
    head, parts = _parts(report, now, earlier)
    return document(
        paragraphs(f"{marker(report.run.stack)}\n{head}", _origin(report.run)),
        (*parts, security_sections.security(report), change_sections.earlier_results(now, earlier)),
        limit_bytes=LIMIT_BYTES,
        whole=_whole(report.run),
        end=kept_results.hidden_line((now, *earlier.results)),
    )


def is_quiet(report: AnyReport) -> bool:
    """There is nothing in it that anybody would have to do something about."""
    return isinstance(report, Report) and report.verdict.status is VerdictStatus.PASSED


def with_note(text: str, note: str) -> str:
    """The comment with a line under its headline; a note that begins alike gives way to it."""
    marker_line, headline, *rest = text.splitlines()
    kind = note.partition(" ")[0]
    kept = "\n".join(line for line in rest if not line.startswith(f"{_NOTE}{kind} "))
    return paragraphs(f"{marker_line}\n{headline}", f"{_NOTE}{note}", kept.strip("\n")) + "\n"


def _parts(report: AnyReport, now: Result, earlier: Earlier) -> tuple[str, Sequence[Section]]:
    match report:
        case Report():
            change = change_sections.before_and_after(now, earlier)
            return sections.head(report), _measured(report, change)
        case FailureReport():
            return failure.head(report), _failed(report)


def _measured(report: Report, change: Section) -> Sequence[Section]:
    around = machine_sections.circumstances(report)
    return (
        host_sections.hosts(report.summary),
        histogram.histograms(report.curves),
        change,
        sections.objectives(report),
        validity_sections.validity(report),
        chaos_sections.chaos(report),
        replica_sections.replicas(report),
        resource_sections.resources(report, folded=True),
        run_facts.timings(report.timings, folded=True),
        sections.setup(report, folded=True),
        run_facts.origin(report.run, report.machine, further=around, folded=True),
    )


def _failed(report: FailureReport) -> Sequence[Section]:
    return (
        *([host_sections.hosts(report.summary)] if report.summary else []),
        *([histogram.histograms(report.curves)] if report.curves else []),
        failure.diagnostics(report),
        run_facts.timings(report.timings, folded=True),
        run_facts.origin(report.run, report.machine, folded=True),
    )


def _origin(run: RunIdentity) -> str:
    """Which commit this is of, and the ways to everything that is not in here."""
    facts = [
        *([f"Commit {escape.code(run.commit[:_COMMIT_CHARS])}"] if run.commit else []),
        *([escape.link("workflow run", run.run_url), _artifacts(run.run_url)] if run.run_url else []),
    ]
    return " · ".join(facts)


def _whole(run: RunIdentity) -> str:
    """report.json is among the artifacts, which the workflow run's page lists."""
    of_run = f" among the {_artifacts(run.run_url)}" if run.run_url else ""
    return f"report.json{of_run} has it all"


def _artifacts(run_url: str) -> str:
    return escape.link("artifacts", f"{run_url}#artifacts")
