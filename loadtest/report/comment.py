"""The pull request's comment: the verdict first, what explains it open, the rest folded, within the limit.

Its first line is a hidden marker by which the next run finds it again.
"""

import re

from loadtest.report import failure, replica_sections, resource_sections, run_facts, sections
from loadtest.report.layout import document
from loadtest.report.model import AnyReport, FailureReport, Report

LIMIT_BYTES = 65_536  # GitHub counts characters; bytes are never fewer


def marker(stack: str) -> str:
    return f"<!-- loadproof:{re.sub('[^A-Za-z0-9._]+', '-', stack)} -->"


def render(report: AnyReport) -> str:
    match report:
        case Report():
            return _measured(report)
        case FailureReport():
            return _failed(report)


def _measured(report: Report) -> str:
    parts = (
        sections.latency(report),
        sections.objectives(report),
        sections.validity(report),
        replica_sections.replicas(report),
        resource_sections.resources(report, folded=True),
        run_facts.timings(report.timings, folded=True),
        sections.setup(report, folded=True),
        run_facts.origin(report.run, report.machine, folded=True),
    )
    return document(f"{marker(report.run.stack)}\n{sections.head(report)}", parts, limit_bytes=LIMIT_BYTES)


def _failed(report: FailureReport) -> str:
    parts = (
        failure.diagnostics(report),
        run_facts.timings(report.timings, folded=True),
        run_facts.origin(report.run, report.machine, folded=True),
    )
    return document(f"{marker(report.run.stack)}\n{failure.head(report)}", parts, limit_bytes=LIMIT_BYTES)
