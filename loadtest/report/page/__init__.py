"""report.html: everything of one run on a page of one file, which asks nothing of any network.

What it says in words is what report.md says; the charts are its own. Leaves out how charts are drawn.
"""

from collections.abc import Sequence

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
from loadtest.report.layout import Section, items
from loadtest.report.model import AnyReport, FailureReport, Report
from loadtest.report.page import bar_charts, spread_charts, time_charts
from loadtest.report.page.chart import Chart
from loadtest.report.page.document import Part, document, part
from loadtest.stats.curves import Curves
from loadtest.stats.summary import Summary

_MOST_HOSTS = 20  # of which each takes some 100 kB


def render(report: AnyReport) -> str:
    match report:
        case Report():
            return _measured(report)
        case FailureReport():
            return _failed(report)


def _measured(report: Report) -> str:
    return document(
        headline=sections.headline(report),
        head=sections.head(report),
        parts=(
            part(sections.latency(report.summary)),
            *_curves(report.curves, report),
            *_figures(report.summary),
            part(sections.objectives(report)),
            part(validity_sections.validity_in_full(report)),
            part(chaos_sections.chaos_in_full(report)),
            part(replica_sections.replicas_in_full(report), *_replicas(report)),
            part(resource_sections.resources_in_full(report), *_resources(report)),
            part(machine_sections.machine(report)),
            part(security_sections.security(report)),
            part(run_facts.timings(report.timings), bar_charts.stages(report.timings)),
            part(sections.setup(report)),
            part(run_facts.origin(report.run, report.machine)),
        ),
    )


def _failed(report: FailureReport) -> str:
    return document(
        headline=failure.headline(report),
        head=failure.head(report),
        parts=(
            *([part(sections.latency(report.summary))] if report.summary else []),
            *(_curves(report.curves, None) if report.curves else []),
            *(_figures(report.summary) if report.summary else []),
            part(failure.diagnostics(report)),
            part(security_sections.security(report)),
            part(run_facts.timings(report.timings), bar_charts.stages(report.timings)),
            part(run_facts.origin(report.run, report.machine)),
        ),
    )


def _figures(summary: Summary) -> tuple[Part, ...]:
    return (
        part(latency_sections.percentiles(summary)),
        part(latency_sections.parts(summary)),
        part(sections.errors_by_class(summary)),
    )


def _curves(curves: Curves, report: Report | None) -> tuple[Part, ...]:
    shown, note = _first_hosts(curves)
    chaos = report.chaos if report else ()
    delay = time_charts.delay(shown, chaos)
    over_time = Section(title="Over time", body=note)
    spread = Section(title="How latencies were spread", body=note)
    return (
        part(
            over_time,
            time_charts.latency(shown, chaos),
            time_charts.errors(shown, chaos),
            *([delay] if delay else []),
        ),
        part(spread, spread_charts.histogram(shown), spread_charts.percentiles(shown)),
    )


def _first_hosts(curves: Curves) -> tuple[Curves, str]:
    left_out = len(curves.hosts) - _MOST_HOSTS
    if left_out <= 0:
        return curves, ""
    shown = dict(list(curves.hosts.items())[:_MOST_HOSTS])
    note = items([f"Drawn are {_MOST_HOSTS} hosts; {left_out:,} more are in report.json"])
    return Curves(span_s=curves.span_s, hosts=shown), note


def _replicas(report: Report) -> Sequence[Chart]:
    usage = report.resources
    if usage is None or not usage.replicas:
        return ()
    return (bar_charts.replicas(usage.replicas, report.window.duration_s),)


def _resources(report: Report) -> Sequence[Chart]:
    usage = report.resources
    return (bar_charts.resources(usage),) if usage and usage.scopes else ()
