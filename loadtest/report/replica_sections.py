"""What a report says of the replicas of autoscaled apps during the load; of other apps it says nothing."""

from loadtest.monitoring.model import ReplicaHistory
from loadtest.report import escape, figures
from loadtest.report.layout import Section, items, paragraphs, table
from loadtest.report.model import Report
from loadtest.target import AppTarget, AutoscalerTarget

_TITLE = "Replicas during the load"
_CHANGES_SHOWN = 20


def replicas(report: Report) -> Section:
    """One line for each autoscaled app."""
    found = _histories(report)
    lines = [
        f"{escape.code(app.name)} ({_range(autoscaler)}): {_in_words(found.get(app.name))}"
        for app, autoscaler in _autoscaled(report)
    ]
    return Section(title=_TITLE, body=items(lines))


def replicas_in_full(report: Report) -> Section:
    """One row for each autoscaled app, then its ready replicas over time."""
    found, scaled = _histories(report), _autoscaled(report)
    header = (
        "app",
        "autoscaler",
        "at the start",
        "at the end",
        "first new one created",
        "first new one ready",
    )
    rows = [_row(app, autoscaler, found.get(app.name)) for app, autoscaler in scaled]
    changes = [
        f"{escape.code(app.name)}: {_over_time(found[app.name])}" for app, _ in scaled if app.name in found
    ]
    legend = (
        "Ready replicas, which are those that the ingress sends requests to; seconds from the beginning of "
        "the load by the cluster's clock, which tells whole seconds."
    )
    return Section(title=_TITLE, body=paragraphs(table(header, rows), legend, items(changes)) if rows else "")


def _autoscaled(report: Report) -> list[tuple[AppTarget, AutoscalerTarget]]:
    return [(app, app.autoscaler) for app in report.apps if app.autoscaler]


def _histories(report: Report) -> dict[str, ReplicaHistory]:
    return {one.app: one for one in report.resources.replicas} if report.resources else {}


def _range(autoscaler: AutoscalerTarget) -> str:
    return f"{autoscaler.min_replicas:,} to {autoscaler.max_replicas:,}"


def _row(app: AppTarget, autoscaler: AutoscalerTarget, history: ReplicaHistory | None) -> tuple[str, ...]:
    rule = f"{_range(autoscaler)} at {autoscaler.target_cpu_percent:,} % of the CPU request"
    if history is None:
        return (escape.code(app.name), rule, *(figures.MISSING,) * 4)
    return (
        escape.code(app.name),
        rule,
        f"{history.ready[0].replicas:,}",
        f"{history.ready[-1].replicas:,}",
        _moment(history.first_new_created_s),
        _moment(history.first_new_ready_s),
    )


def _in_words(history: ReplicaHistory | None) -> str:
    if history is None:
        return figures.MISSING
    created_s, ready_s = history.first_new_created_s, history.first_new_ready_s
    if created_s is None:
        return f"{_over_time(history)}; none was added"
    if ready_s is None:
        return (
            f"{_over_time(history)}; the first new one was created at {_moment(created_s)}, none became ready"
        )
    return (
        f"{_over_time(history)} ready; the first new one was created at {_moment(created_s)} "
        f"and ready at {_moment(ready_s)}"
    )


def _over_time(history: ReplicaHistory) -> str:
    steps = [f"{step.replicas:,} at {_moment(step.at_s)}" for step in history.ready]
    left_out = len(steps) - _CHANGES_SHOWN
    return ", ".join([*steps[:_CHANGES_SHOWN], *([f"and {left_out:,} more changes"] if left_out > 0 else [])])


def _moment(at_s: float | None) -> str:
    return figures.NOT_SHOWN if at_s is None else f"{at_s:.0f} s"
