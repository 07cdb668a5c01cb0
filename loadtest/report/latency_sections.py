"""What a report says of latency in full: percentiles with their intervals, and what latencies are made of.

Leaves out the table by host, which every format has.
"""

from loadtest.report import figures
from loadtest.report.layout import Section, paragraphs, table
from loadtest.report.sections import by_host
from loadtest.sample import Arm
from loadtest.stats.summary import Interval, LatencyParts, LatencyStats, Summary, TimeStats

_PERCENTILES = ("p50", "p90", "p95", "p99")
_FROM_INTENDED = "from the intended start"


def percentiles(summary: Summary) -> Section:
    """Each with its interval; in an open loop from the intended start as well."""
    rows: list[tuple[str, ...]] = []
    for name, requests in by_host(summary.arm(Arm.HEAD)):
        if requests.latency:
            rows.append((name, *_percentile_cells(requests.latency)))
        if requests.latency_from_intended_start:
            rows.append(
                (f"{name} {_FROM_INTENDED}", *_percentile_cells(requests.latency_from_intended_start))
            )
    legend = (
        "Latency in ms, in brackets where the true percentile lies with a confidence of 95 %; "
        f"{figures.NOT_SHOWN} : too few samples for one."
    )
    body = paragraphs(table(("host", *_PERCENTILES, "samples"), rows), legend) if rows else ""
    return Section(title="Percentiles", body=body)


def parts(summary: Summary) -> Section:
    """Of all hosts; nothing where the engine tells no part."""
    rows = _part_rows(summary.arm(Arm.HEAD).combined.latency_parts)
    header = ("part of the latency", "p50", "p90", "p99", "max", "requests")
    body = paragraphs(table(header, rows), "In ms, of right answers, from the actual start.") if rows else ""
    return Section(title="What latencies are made of", body=body)


def _percentile_cells(latency: LatencyStats) -> tuple[str, ...]:
    return (
        _with_interval(latency.p50_ms, latency.p50_interval),
        _with_interval(latency.p90_ms, latency.p90_interval),
        _with_interval(latency.p95_ms, latency.p95_interval),
        _with_interval(latency.p99_ms, latency.p99_interval),
        f"{latency.samples:,}",
    )


def _with_interval(value_ms: float | None, interval: Interval | None) -> str:
    if value_ms is None:
        return figures.NOT_SHOWN
    between = figures.NOT_SHOWN
    if interval:
        between = f"{figures.number(interval.low_ms)} to {figures.number(interval.high_ms)}"
    return f"{figures.number(value_ms)} ({between})"


def _part_rows(told: LatencyParts) -> list[tuple[str, ...]]:
    named = (
        ("opening a connection", told.connect),
        ("wait for the first byte", told.first_byte),
        ("transfer", told.transfer),
    )
    return [(name, *_time_cells(stats)) for name, stats in named if stats]


def _time_cells(stats: TimeStats) -> tuple[str, ...]:
    p99 = figures.NOT_SHOWN if stats.p99_ms is None else figures.number(stats.p99_ms)
    before = map(figures.number, (stats.p50_ms, stats.p90_ms))
    return (*before, p99, figures.number(stats.maximum_ms), f"{stats.samples:,}")
