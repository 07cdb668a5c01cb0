"""report.html: everything of one run on a page of one file, which asks nothing of any network.

What it says in words is what report.md says; the charts are its own. Leaves out how charts are drawn.
"""

from collections.abc import Mapping, Sequence

from loadtest.report.contents import Content, contents, head, headline
from loadtest.report.layout import Section, items
from loadtest.report.model import AnyReport, Report
from loadtest.report.page import bar_charts, spread_charts, time_charts, usage_charts
from loadtest.report.page.chart import Chart
from loadtest.report.page.document import Part, document, part
from loadtest.stats.curves import Curves

_MOST_HOSTS = 20  # of which each takes some 100 kB


def render(report: AnyReport) -> str:
    charts, parts = _charts(report), list[Part]()
    for content, section in contents(report).items():
        parts.append(part(section, *charts.get(content, ())))
        if content is Content.LATENCY:
            parts += _curves(report)
    return document(headline=headline(report), head=head(report), parts=parts)


def _charts(report: AnyReport) -> Mapping[Content, Sequence[Chart]]:
    of_stages = {Content.STAGES: [bar_charts.stages(report.timings)]}
    if not isinstance(report, Report):
        return of_stages
    return of_stages | {Content.REPLICAS: _replicas(report), Content.RESOURCES: _resources(report)}


def _curves(report: AnyReport) -> Sequence[Part]:
    if report.curves is None:
        return ()
    shown, note = _first_hosts(report.curves)
    chaos = report.chaos if isinstance(report, Report) else ()
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
    if usage is None or not usage.scopes:
        return ()
    curves = usage_charts.over_time(usage)
    return (*([curves] if curves else []), bar_charts.resources(usage))
