"""The end of a run on a terminal: the verdict, its reasons, and a row of plain text for each host."""

from collections.abc import Sequence

from loadtest.report import escape, figures, sections
from loadtest.report.model import Report
from loadtest.sample import Arm
from loadtest.stats.summary import RequestSummary

_HEADER = ("host", "requests", "failed", "req/s", "p50 ms", "p90 ms", "p95 ms", "p99 ms", "max ms")


def ending(report: Report) -> str:
    reasons = "".join(f"\n- {escape.plain(reason)}" for reason in report.verdict.reasons)
    return f"{sections.headline(report)}{reasons}\n\n{by_host(report)}"


def by_host(report: Report) -> str:
    tested = report.summary.arm(Arm.HEAD)
    rows = [("all hosts", tested.combined), *tested.hosts.items()]
    return _columns([_HEADER, *(_row(name, requests) for name, requests in rows)])


def _row(name: str, requests: RequestSummary) -> tuple[str, ...]:
    latency = requests.latency
    figures_ms = (
        (latency.p50_ms, latency.p90_ms, latency.p95_ms, latency.p99_ms, latency.maximum_ms)
        if latency
        else (None,) * 5
    )
    return (
        name,
        f"{requests.requests:,}",
        f"{requests.requests - requests.succeeded:,}",
        figures.number(requests.achieved_rps),
        *map(figures.shown, figures_ms),
    )


def _columns(rows: Sequence[tuple[str, ...]]) -> str:
    """Names to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        f"{row[0]:<{widths[0]}}"
        + "".join(f"  {cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
        for row in rows
    )
