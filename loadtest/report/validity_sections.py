"""What lets a reader judge whether the load, and not its generator, was measured: in short, and in full."""

from collections import Counter
from collections.abc import Sequence

from loadtest.load_run import Generator
from loadtest.plan import ConstantRate, RampingRate
from loadtest.report import escape, figures
from loadtest.report.layout import Section, items, paragraphs, table
from loadtest.report.load_words import load_words
from loadtest.report.machine_sections import disturbances
from loadtest.report.model import Report
from loadtest.sample import Arm
from loadtest.stats.summary import TimeStats
from loadtest.validity import CheckStatus, ValidityCheck

_TITLE = "Validity of the run"
_CHECK_WORDS = {
    CheckStatus.VALID: "✅ valid",
    CheckStatus.DOUBTFUL: "⚠️ doubtful",
    CheckStatus.UNKNOWN: "❔ cannot be told",
}
_DELAY = "Its own delay in sending"
_TUNNEL = "Measured through a tunnel to the cluster: what it adds and what it holds back is in every figure"


def validity(report: Report) -> Section:
    """The checks are counted: those in doubt are among the verdict's reasons."""
    return Section(title=_TITLE, body=items(_validity_lines(report)))


def validity_in_full(report: Report) -> Section:
    """The same, and every check with its figures."""
    rows = [_check_row(check) for check in report.validity.checks]
    lines = [
        escape.inline(check.words)
        for check in report.validity.checks
        if check.status is not CheckStatus.VALID
    ]
    body = paragraphs(
        table(("check", "outcome", "value", "to be valid"), rows),
        items(lines),
        items(_validity_lines(report)),
    )
    return Section(title=_TITLE, body=body)


def _validity_lines(report: Report) -> list[str]:
    requests, generator = report.summary.arm(Arm.HEAD).combined, report.generator
    window_s = report.window.duration_s
    generator_cores = generator.cpu_s / window_s if window_s else None
    planned = report.plan.profile.planned_requests
    of_planned = "requests" if planned is None else f"of {planned:,} planned requests"
    lines = [
        _checks_in_short(report.validity.checks),
        f"{requests.requests:,} {of_planned} in {figures.seconds(window_s)}, "
        f"{load_words(report.plan.profile)}, "
        f"time-out {figures.seconds(report.plan.timeout_s)}, seed {report.plan.seed}",
        f"Generator {escape.code(generator.engine)}: {figures.seconds(generator.cpu_s)} of CPU "
        f"({figures.number(generator_cores)} cores{_processes(generator)}), "
        f"{generator.connections_opened:,} connections opened{_gc(generator)}",
        _delay(requests.schedule_delay) if generator.tells_intended_start else f"{_DELAY}: not told by it",
    ]
    if generator.planned_rps is not None and isinstance(report.plan.profile, ConstantRate | RampingRate):
        sent_rps = report.summary.sent_rps(report.plan.profile.duration_s)
        lines.append(
            f"Requested rate {figures.precise(generator.planned_rps)} req/s, "
            f"sent {figures.precise(sent_rps)} req/s"
        )
    lines += disturbances(report)
    lines += map(escape.inline, generator.notes)
    if report.ingress.tunnelled and not report.plan.locust_workers:
        lines.append(_TUNNEL)
    return lines


def _processes(generator: Generator) -> str:
    several = generator.worker_processes > 1
    return f" in {generator.worker_processes} processes that send" if several else ""


def _gc(generator: Generator) -> str:
    pauses = generator.gc_pauses
    if pauses is None:
        return ""
    longest = f", the longest {figures.milliseconds(pauses.longest_ms)}" if pauses.count else ""
    return f", {pauses.count:,} garbage collections{longest}"


def _checks_in_short(checks: Sequence[ValidityCheck]) -> str:
    counted = Counter(check.status for check in checks)
    outcomes = (f"{counted[status]} {words}" for status, words in _CHECK_WORDS.items() if counted[status])
    return f"Checks of the measurement: {', '.join(outcomes)}"


def _delay(delay: TimeStats | None) -> str:
    if delay is None:
        return f"{_DELAY}: {figures.MISSING}"
    return (
        f"{_DELAY}: p50 {figures.milliseconds(delay.p50_ms)}, p90 {figures.milliseconds(delay.p90_ms)}, "
        f"p99 {figures.shown(delay.p99_ms, ' ms')}, at most {figures.milliseconds(delay.maximum_ms)}"
    )


def _check_row(check: ValidityCheck) -> tuple[str, ...]:
    value, threshold = figures.precise(check.value), figures.limit(check.threshold, check.comparison)
    return (escape.code(check.name), _CHECK_WORDS[check.status], value, threshold)
