"""What a report says of the resources that were used during the load: in short, and in full.

A figure that could not be measured is `missing`, with its number of samples beside it.
"""

from loadtest.monitoring.model import ResourceUsage, ScopeUsage, Series, Total
from loadtest.report import escape, figures
from loadtest.report.layout import Section, items, paragraphs, table
from loadtest.report.model import Report

_TITLE = "Resources during the load"
_THROTTLED_RATIO = 0.05  # from here on a limit is worth a word in short


def resources(report: Report, *, folded: bool = False) -> Section:
    """One row for each scope: average, span and number of samples within each cell."""
    usage = report.resources
    body = _in_short(usage) if usage and usage.scopes else _nothing(usage)
    return Section(title=_TITLE, body=body, folded=folded)


def resources_in_full(report: Report) -> Section:
    """One row for each scope and figure."""
    usage = report.resources
    return Section(title=_TITLE, body=_in_full(usage) if usage and usage.scopes else _nothing(usage))


def _nothing(usage: ResourceUsage | None) -> str:
    return paragraphs("Missing: nothing could be measured.", _problems(usage) if usage else "")


def _in_full(usage: ResourceUsage) -> str:
    rows = [row for scope in usage.scopes for row in _resource_rows(scope)]
    header = ("scope and figure", "average", "minimum", "maximum", "samples")
    return paragraphs(
        table(header, rows),
        _around_the_load(usage),
        _cpu_seconds(usage),
        _held_back(usage),
        _curves(usage),
        _problems(usage),
    )


def _in_short(usage: ResourceUsage) -> str:
    header = (
        "scope",
        "CPU cores",
        "memory",
        "network in",
        "network out",
        "running pods",
        "CPU-s per 1,000 req",
    )
    rows = [
        (
            escape.code(scope.scope),
            *(_series_cell(series, write) for _, series, write in _series(scope)),
            figures.number(scope.cpu_seconds_per_1000_requests),
        )
        for scope in usage.scopes
    ]
    legend = "Average (minimum to maximum; n: samples). A figure that could not be measured is `missing`."
    return paragraphs(
        table(header, rows), legend, _around_the_load(usage), items(_incidents(usage)), _problems(usage)
    )


def _series(scope: ScopeUsage) -> tuple[tuple[str, Series, figures.Writer], ...]:
    return (
        ("CPU cores", scope.cpu_cores, figures.number),
        ("memory", scope.memory_bytes, figures.size),
        ("network in", scope.network_receive_bytes_per_s, figures.rate),
        ("network out", scope.network_transmit_bytes_per_s, figures.rate),
        ("running pods", scope.running_pods, figures.count),
    )


def _series_cell(series: Series, write: figures.Writer) -> str:
    if series.average is None:
        return f"{figures.MISSING} (n {series.samples})"
    return f"{write(series.average)} ({write(series.minimum)} to {write(series.maximum)}; n {series.samples})"


def _resource_rows(scope: ScopeUsage) -> list[tuple[str, ...]]:
    return [
        (
            f"{escape.code(scope.scope)} {figure}",
            *(write(value) for value in (series.average, series.minimum, series.maximum)),
            str(series.samples),
        )
        for figure, series, write in _series(scope)
    ]


def _cpu_seconds(usage: ResourceUsage) -> str:
    return items(
        [
            f"{escape.code(scope.scope)}: {figures.seconds(scope.cpu_seconds)} of CPU, counted over "
            f"{figures.seconds(scope.cpu_window_s)}; "
            f"{figures.seconds(scope.cpu_seconds_per_1000_requests)} per 1,000 requests"
            for scope in usage.scopes
        ]
    )


def _held_back(usage: ResourceUsage) -> str:
    """One row for each scope: what its containers had to wait for, and which of them ended."""
    header = (
        "scope",
        "held back by CPU limits",
        "in periods",
        "waited for a CPU",
        "for memory",
        "for a disk",
        "restarts",
        "OOM kills",
    )
    rows = [
        (
            escape.code(scope.scope),
            _total_cell(scope.cpu_throttled_s, figures.seconds),
            figures.percent(scope.cpu_throttled_ratio),
            _total_cell(scope.cpu_stalled_s, figures.seconds),
            _total_cell(scope.memory_stalled_s, figures.seconds),
            _total_cell(scope.io_stalled_s, figures.seconds),
            _total_cell(scope.restarts, figures.count),
            _total_cell(scope.oom_kills, figures.count),
        )
        for scope in usage.scopes
    ]
    legend = "Seconds are added up over containers, those held back over CPUs as well; n: samples."
    return paragraphs(table(header, rows), legend, *map(escape.inline, usage.untold))


def _total_cell(total: Total, write: figures.Writer) -> str:
    return f"{write(total.value)} (n {total.samples})"


def _incidents(usage: ResourceUsage) -> list[str]:
    """What ended or was held back, of the scopes that it happened to."""
    return [
        f"{escape.code(scope.scope)}: {words}"
        for scope in usage.scopes
        if (words := ", ".join(_incident_words(scope)))
    ]


def _incident_words(scope: ScopeUsage) -> list[str]:
    counts = {"restarts": scope.restarts.value, "OOM kills": scope.oom_kills.value}
    words = [f"{figures.count(value)} {name}" for name, value in counts.items() if value]
    if scope.cpu_throttled_ratio is not None and scope.cpu_throttled_ratio >= _THROTTLED_RATIO:
        words.append(f"held back by CPU limits in {figures.percent(scope.cpu_throttled_ratio)} of periods")
    return words


def _around_the_load(usage: ResourceUsage) -> str:
    if usage.widest_cpu_window_s is None:
        return ""
    return (
        f"The load took {figures.seconds(usage.window.duration_s)}; these are averages over up to "
        f"{figures.seconds(usage.widest_cpu_window_s)} of readings around it."
    )


def _curves(usage: ResourceUsage) -> str:
    if usage.dashboard_url is None:
        return ""
    # Not in short: what is on this machine's loopback is of no use to a pull request's readers.
    return f"{escape.link('The same as curves', usage.dashboard_url)}, while the cluster is up."


def _problems(usage: ResourceUsage) -> str:
    return items([escape.inline(problem) for problem in usage.problems])
