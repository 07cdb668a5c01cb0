"""The comment's table by host: every percentile with its interval, and which requests failed, in one row.

Leaves out what report.md has of it beside: each kind of failure in a column, what latencies are made of.
"""

from loadtest.report import figures
from loadtest.report.layout import Section, paragraphs, table
from loadtest.report.sections import by_host
from loadtest.sample import Arm
from loadtest.stats.summary import Interval, LatencyStats, RequestSummary, Summary

_HEADER = ("host", "average", "p50", "p90", "p95", "p99", "max", "success", "req/s", "failed")
_LEGEND = (
    "Latency in ms, of right answers only; percentiles are exact, and below each stands where the true one "
    f"lies with a confidence of 95 %. {figures.NOT_SHOWN} : too few samples."
)


def hosts(summary: Summary) -> Section:
    rows = [_row(name, requests) for name, requests in by_host(summary.arm(Arm.HEAD))]
    return Section(title="Latency and failures by host", body=paragraphs(table(_HEADER, rows), _LEGEND))


def _row(name: str, requests: RequestSummary) -> tuple[str, ...]:
    return (
        name,
        *_latency(requests.latency),
        figures.percent(requests.success_ratio if requests.requests else None),
        figures.number(requests.achieved_rps),
        _failed(requests),
    )


def _latency(latency: LatencyStats | None) -> tuple[str, ...]:
    if latency is None:
        return (figures.MISSING,) * 6
    return (
        figures.number(latency.average_ms),
        _percentile(latency.p50_ms, latency.p50_interval),
        _percentile(latency.p90_ms, latency.p90_interval),
        _percentile(latency.p95_ms, latency.p95_interval),
        _percentile(latency.p99_ms, latency.p99_interval),
        figures.number(latency.maximum_ms),
    )


def _percentile(value_ms: float | None, interval: Interval | None) -> str:
    if value_ms is None or interval is None:
        return figures.shown(value_ms)
    between = f"{figures.number(interval.low_ms)} to {figures.number(interval.high_ms)}"
    return f"{figures.number(value_ms)}<br><sub>{between}</sub>"


def _failed(requests: RequestSummary) -> str:
    counts = (
        (requests.http_errors, "HTTP error", "HTTP errors"),
        (requests.timeouts, "time-out", "time-outs"),
        (requests.connection_errors, "connection error", "connection errors"),
        (requests.wrong_bodies, "wrong body", "wrong bodies"),
    )
    kinds = ", ".join(f"{count:,} {one if count == 1 else many}" for count, one, many in counts if count)
    failed = f"{requests.requests - requests.succeeded:,} of {requests.requests:,}"
    return f"{failed}: {kinds}" if kinds else failed
