"""What the comment says of earlier runs of the same pull request: before and after, and the last of them.

Two runs prove little: a difference counts where the intervals of its two figures do not even touch, and is
put into words no stronger than that. Runs with unlike fingerprints are not held against each other at all.
"""

from collections.abc import Sequence

from loadtest.report import escape, figures
from loadtest.report.kept_results import ALL_HOSTS, Earlier, HostResult, Percentile, Result
from loadtest.report.layout import Section, paragraphs, table

_COMMIT_CHARS = 7
_BARS = "▁▂▃▄▅▆▇█"
_LEGEND = (
    "Latency in ms. Slower or faster is said where the 95 % intervals of the two do not touch, "
    f"{figures.NOT_SHOWN} where they do or there is none; two runs are an indication and no verdict."
)


def before_and_after(now: Result, earlier: Earlier) -> Section:
    """Against the newest comparable run that was not disturbed; where there are only others, why not."""
    measured = [one for one in earlier.results if one.hosts and not one.disturbed]
    alike = next((one for one in measured if one.fingerprint == now.fingerprint), None)
    body = ""
    if now.disturbed and measured:
        body = "Not compared: this measurement was disturbed, which puts every figure of time into doubt."
    elif alike and now.hosts:
        body = _compared(now, alike)
    elif measured and now.hosts:
        body = (
            f"Not compared: {_name(measured[0])} has the fingerprint {_mark(measured[0])} and this run "
            f"{_mark(now)}, so machine, versions or load differ."
        )
    elif earlier.problem:
        body = f"Not compared: {escape.inline(earlier.problem)}."
    return Section(title="Before and after", body=body)


def earlier_results(now: Result, earlier: Earlier) -> Section:
    rows = [(_name(one), escape.inline(one.headline)) for one in earlier.results]
    if not rows:
        return Section(title="Earlier results", body="")
    body = paragraphs(table(("run", "result"), rows), _trend(now, earlier.results))
    return Section(title=f"Earlier results ({len(rows)})", body=body, folded=True)


def _compared(now: Result, before: Result) -> str:
    there = {one.host: one for one in before.hosts}
    rows = [_row(there[one.host], one) for one in now.hosts if one.host in there]
    header = ("host", "p50 before", "now", "change", "p95 before", "now", "change", "req/s before", "now")
    return paragraphs(
        f"Against {_name(before)}, with the same fingerprint {_mark(before)}:",
        table((*header, "failed before", "now"), rows),
        _LEGEND,
    )


def _row(before: HostResult, now: HostResult) -> tuple[str, ...]:
    return (
        "**all hosts**" if now.host == ALL_HOSTS else escape.code(now.host),
        *_moved(before.p50, now.p50),
        *_moved(before.p95, now.p95),
        figures.number(before.achieved_rps),
        figures.number(now.achieved_rps),
        f"{before.failed:,} of {before.requests:,}",
        f"{now.failed:,} of {now.requests:,}",
    )


def _moved(before: Percentile | None, now: Percentile | None) -> tuple[str, str, str]:
    return _value(before), _value(now), _direction(before, now)


def _value(percentile: Percentile | None) -> str:
    return figures.number(percentile.value_ms if percentile else None)


def _direction(before: Percentile | None, now: Percentile | None) -> str:
    if before is None or now is None:
        return figures.NOT_SHOWN
    by = f"by {figures.milliseconds(abs(now.value_ms - before.value_ms))}"
    if now.low_ms is not None and before.high_ms is not None and now.low_ms > before.high_ms:
        return f"🔺 slower {by}"
    if now.high_ms is not None and before.low_ms is not None and now.high_ms < before.low_ms:
        return f"🔽 faster {by}"
    return figures.NOT_SHOWN


def _trend(now: Result, earlier: Sequence[Result]) -> str:
    """p95 over all comparable runs as a row of bars, from nought up."""
    alike = [one for one in (now, *earlier) if one.fingerprint == now.fingerprint and one.hosts]
    values_ms = [one.hosts[0].p95.value_ms for one in reversed(alike) if one.hosts[0].p95]
    if len(values_ms) < 2:
        return ""
    highest_ms = max(values_ms) or 1.0
    bars = "".join(_BARS[round(value / highest_ms * (len(_BARS) - 1))] for value in values_ms)
    return (
        f"p95 of the {len(values_ms)} comparable runs, this one last: `{bars}` "
        f"({figures.milliseconds(min(values_ms))} to {figures.milliseconds(max(values_ms))}, bars from 0)"
    )


def _name(run: Result) -> str:
    commit = escape.code(run.commit[:_COMMIT_CHARS]) if run.commit else "a run"
    link = f", {escape.link('run', run.run_url)}" if run.run_url else ""
    return f"{commit} of {escape.code(run.created_at)}{link}"


def _mark(run: Result) -> str:
    return escape.code(run.fingerprint) if run.fingerprint else "none"
