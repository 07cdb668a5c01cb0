"""report.md: everything a person may want to read of one run, nothing folded."""

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
from loadtest.report.layout import Section, document
from loadtest.report.model import AnyReport, FailureReport, Report
from loadtest.stats.summary import Summary

LIMIT_BYTES = 1_000_000  # it goes into the job summary as well, which holds 1 MiB


def render(report: AnyReport) -> str:
    match report:
        case Report():
            return _measured(report)
        case FailureReport():
            return _failed(report)


def _measured(report: Report) -> str:
    parts = (
        *_figures(report.summary),
        sections.objectives(report),
        validity_sections.validity_in_full(report),
        chaos_sections.chaos_in_full(report),
        replica_sections.replicas_in_full(report),
        resource_sections.resources_in_full(report),
        machine_sections.machine(report),
        security_sections.security(report),
        run_facts.timings(report.timings),
        sections.setup(report),
        run_facts.origin(report.run, report.machine),
    )
    return document(sections.head(report), parts, limit_bytes=LIMIT_BYTES)


def _failed(report: FailureReport) -> str:
    parts = (
        *_figures(report.summary),
        failure.diagnostics(report),
        security_sections.security(report),
        run_facts.timings(report.timings),
        run_facts.origin(report.run, report.machine),
    )
    return document(failure.head(report), parts, limit_bytes=LIMIT_BYTES)


def _figures(summary: Summary | None) -> tuple[Section, ...]:
    if summary is None:
        return ()
    return (
        sections.latency(summary),
        latency_sections.percentiles(summary),
        latency_sections.parts(summary),
        sections.errors_by_class(summary),
    )
