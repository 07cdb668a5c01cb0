"""What a whole report holds, part by part in one order: report.md and the page show the same.

Leaves out the comment, which has a choice and an order of its own, and the page's charts.
"""

from collections.abc import Mapping
from enum import Enum, auto

from loadtest.report import (
    chaos_sections,
    failure,
    latency_sections,
    machine_sections,
    replica_sections,
    resource_sections,
    run_facts,
    sections,
    security_sections,
    validity_sections,
)
from loadtest.report.layout import Section
from loadtest.report.model import AnyReport, FailureReport, Report
from loadtest.stats.summary import Summary


class Content(Enum):
    """By which a part is found again, whatever its title says."""

    LATENCY = auto()
    PERCENTILES = auto()
    LATENCY_PARTS = auto()
    ERRORS = auto()
    OBJECTIVES = auto()
    VALIDITY = auto()
    CHAOS = auto()
    REPLICAS = auto()
    RESOURCES = auto()
    MACHINE = auto()
    DIAGNOSTICS = auto()
    SECURITY = auto()
    STAGES = auto()
    SETUP = auto()
    ORIGIN = auto()


Contents = Mapping[Content, Section]


def headline(report: AnyReport) -> str:
    """One line of plain text."""
    return sections.headline(report) if isinstance(report, Report) else failure.headline(report)


def head(report: AnyReport) -> str:
    """The headline, then why."""
    return sections.head(report) if isinstance(report, Report) else failure.head(report)


def contents(report: AnyReport) -> Contents:
    """In the order in which they are read."""
    match report:
        case Report():
            return _measured(report)
        case FailureReport():
            return _failed(report)


def _measured(report: Report) -> Contents:
    return {
        **_figures(report.summary),
        Content.OBJECTIVES: sections.objectives(report),
        Content.VALIDITY: validity_sections.validity_in_full(report),
        Content.CHAOS: chaos_sections.chaos_in_full(report),
        Content.REPLICAS: replica_sections.replicas_in_full(report),
        Content.RESOURCES: resource_sections.resources_in_full(report),
        Content.MACHINE: machine_sections.machine(report),
        Content.SECURITY: security_sections.security(report),
        Content.STAGES: run_facts.timings(report.timings),
        Content.SETUP: sections.setup(report),
        Content.ORIGIN: run_facts.origin(report.run, report.machine),
    }


def _failed(report: FailureReport) -> Contents:
    return {
        **(_figures(report.summary) if report.summary else {}),
        Content.DIAGNOSTICS: failure.diagnostics(report),
        Content.SECURITY: security_sections.security(report),
        Content.STAGES: run_facts.timings(report.timings),
        Content.ORIGIN: run_facts.origin(report.run, report.machine),
    }


def _figures(summary: Summary) -> Contents:
    return {
        Content.LATENCY: sections.latency(summary),
        Content.PERCENTILES: latency_sections.percentiles(summary),
        Content.LATENCY_PARTS: latency_sections.parts(summary),
        Content.ERRORS: sections.errors_by_class(summary),
    }
