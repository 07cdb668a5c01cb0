"""What a report says of what was made to go wrong under load; where nothing was, it says nothing."""

from loadtest.chaos.model import ChaosOutcome, Gap, HostEffect, Pace
from loadtest.report import escape, figures
from loadtest.report.layout import Section, items, paragraphs, table
from loadtest.report.model import Report

_TITLE = "Chaos under load"
_HEADER = (
    "host",
    "in flight",
    "of them failed",
    "failed after it",
    "longest gap",
    "before",
    "recovered after",
    "p50 before",
    "during",
    "p95 before",
    "during",
    "max during",
)
_LEGEND = (
    "Seconds of the load window. In flight: sent before it and not answered yet. A gap is a span without a "
    "right answer; before: before the first event of all. Recovered: from then on no request failed. "
    "During: until that and until it was over, one second at least. Latency in ms, of right answers."
)


def chaos(report: Report) -> Section:
    """One line for each event."""
    lines = [f"{_what(one)}{_consequence(one)}" for one in report.chaos]
    return Section(title=_TITLE, body=items(lines))


def chaos_in_full(report: Report) -> Section:
    """A table for each event, of what the clients of each host saw."""
    parts = [paragraphs(_what(one), _table(one)) for one in report.chaos]
    return Section(title=_TITLE, body=paragraphs(*parts, _LEGEND) if parts else "")


def _what(outcome: ChaosOutcome) -> str:
    event = outcome.event
    whom = escape.code(outcome.victim or event.target)
    when = figures.seconds(event.at_s) if outcome.at_s is None else _moment(outcome.at_s)
    delay = "" if event.delay_ms is None else f" by {figures.milliseconds(event.delay_ms)}"
    over = "" if outcome.over_s is None else f", until {_moment(outcome.over_s)}"
    wrong = f": ⚠️ {escape.inline(outcome.problem)}" if outcome.problem else ""
    return f"At {when}: {event.action} {whom}{delay}{over}{wrong}"


def _moment(at_s: float) -> str:
    """What is due when the load begins may come a little sooner."""
    rounded_s = round(at_s, 2)
    return f"{-rounded_s:.2f} s before the load" if rounded_s < 0 else f"{abs(rounded_s):.2f} s"


def _consequence(outcome: ChaosOutcome) -> str:
    """Of the host that suffered most, which is named."""
    if not outcome.hosts:
        return ""
    host, effect = max(
        outcome.hosts.items(), key=lambda one: (_failed(one[1]), one[1].longest_gap.duration_s)
    )
    failed = sum(_failed(one) + one.in_flight_failed for one in outcome.hosts.values())
    return (
        f"; {f'{failed:,}' if failed else 'none'} failed; most hit {escape.code(host)}: longest gap "
        f"{figures.seconds(effect.longest_gap.duration_s)} (before {_gap(effect.longest_gap_before)}), "
        f"{_recovery(effect)}p95 {_p95(effect.before)} before, {_p95(effect.during)} during"
    )


def _failed(effect: HostEffect) -> int:
    return sum(effect.errors.values())


def _recovery(effect: HostEffect) -> str:
    if not effect.errors:
        return ""
    if effect.recovered_after_s is None:
        return "not seen to recover, "
    return f"recovered after {figures.seconds(effect.recovered_after_s)}, "


def _recovered(effect: HostEffect) -> str:
    """For a cell; where none failed nothing had to recover."""
    if not effect.errors:
        return figures.NOT_SHOWN
    return "not seen" if effect.recovered_after_s is None else figures.seconds(effect.recovered_after_s)


def _gap(gap: Gap | None) -> str:
    return figures.MISSING if gap is None else figures.seconds(gap.duration_s)


def _p95(pace: Pace | None) -> str:
    return figures.milliseconds(pace.p95_ms if pace else None)


def _table(outcome: ChaosOutcome) -> str:
    return table(_HEADER, [_row(host, one) for host, one in outcome.hosts.items()]) if outcome.hosts else ""


def _row(host: str, effect: HostEffect) -> tuple[str, ...]:
    before, during = effect.before, effect.during
    return (
        escape.code(host),
        f"{effect.in_flight:,}",
        f"{effect.in_flight_failed:,}",
        _errors(effect),
        f"{figures.seconds(effect.longest_gap.duration_s)} from {effect.longest_gap.began_s:.2f} s",
        _gap(effect.longest_gap_before),
        _recovered(effect),
        figures.number(before.p50_ms if before else None),
        figures.number(during.p50_ms if during else None),
        figures.number(before.p95_ms if before else None),
        figures.number(during.p95_ms if during else None),
        figures.number(during.maximum_ms if during else None),
    )


def _errors(effect: HostEffect) -> str:
    named = ", ".join(f"{count:,} {error.value}" for error, count in effect.errors.items())
    total = f"{_failed(effect):,} of {effect.requests:,}"
    return f"{total} ({named})" if named else total
