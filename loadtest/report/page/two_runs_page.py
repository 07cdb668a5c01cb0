"""compare.html: two runs side by side, as the page of one run is made."""

from loadtest.report import two_runs_sections as sections
from loadtest.report.layout import Section
from loadtest.report.page import spread_charts
from loadtest.report.page.document import document, part
from loadtest.report.two_runs import TwoRuns
from loadtest.stats.curves import Curves, HostCurves


def render(runs: TwoRuns) -> str:
    curves = _side_by_side(runs)
    return document(
        headline=sections.headline(runs),
        head=sections.head(runs),
        parts=(
            part(sections.differences(runs)),
            part(sections.requests(runs)),
            part(
                Section(title="How latencies were spread", body=""),
                spread_charts.histogram(curves),
                spread_charts.percentiles(curves),
            ),
            part(sections.origins(runs)),
        ),
    )


def _side_by_side(runs: TwoRuns) -> Curves:
    """Each host of both, one under the other."""
    hosts: dict[str, HostCurves] = {}
    for host in dict.fromkeys((*runs.first.curves.hosts, *runs.second.curves.hosts)):
        for name, report in (("first", runs.first), ("second", runs.second)):
            if one := report.curves.hosts.get(host):
                hosts[f"{host}, {name}"] = one
    return Curves(span_s=runs.first.curves.span_s, hosts=hosts)
