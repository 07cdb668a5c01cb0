"""What a report of a measured run says of its load, part by part; the formats choose among the parts.

Every word from outside is escaped here, every figure written by `figures`. Leaves out resources.
"""

from loadtest.report import escape, figures
from loadtest.report.layout import Section, items, paragraphs, table
from loadtest.report.model import Report
from loadtest.sample import Arm
from loadtest.slo import Outcome, OutcomeStatus, VerdictStatus
from loadtest.stats.summary import ArmSummary, LatencyStats, RequestSummary, Summary
from loadtest.target import AppTarget

_VERDICT_WORDS = {
    VerdictStatus.PASSED: "✅ All objectives met",
    VerdictStatus.WARNED: "🟡 Passed with a warning",
    VerdictStatus.MISSED: "❌ Objective missed",
    VerdictStatus.INCONCLUSIVE: "⚠️ Inconclusive",
}
_OUTCOME_WORDS = {
    OutcomeStatus.MET: "✅ met",
    OutcomeStatus.WARNED: "🟡 warned",
    OutcomeStatus.MISSED: "❌ missed",
    OutcomeStatus.NO_DATA: "⚠️ no data",
}
_ALL_HOSTS = "**all hosts**"
_TLS = "Hosts answered over TLS with their certificate; the load went over plain HTTP beside it"


def headline(report: Report) -> str:
    """The verdict in words and three numbers: one line of plain text."""
    requests = _tested(report).combined
    numbers = ", ".join(
        (
            f"{figures.percent(requests.success_ratio if requests.requests else None)} success",
            f"p95 {figures.milliseconds(requests.latency.p95_ms if requests.latency else None)}",
            f"{figures.number(requests.achieved_rps)} req/s",
        )
    )
    return f"{_verdict_words(report)}: {numbers}"


def head(report: Report) -> str:
    """The headline, then why."""
    return paragraphs(
        f"## {headline(report)}",
        items([escape.inline(reason) for reason in report.verdict.reasons]),
    )


def by_host(tested: ArmSummary) -> list[tuple[str, RequestSummary]]:
    """A row's name and its requests: all of them first."""
    named = [(escape.code(host), requests) for host, requests in tested.hosts.items()]
    return [(_ALL_HOSTS, tested.combined), *named]


def latency(summary: Summary) -> Section:
    rows = by_host(summary.arm(Arm.HEAD))
    header = ("host", "average", "p50", "p90", "p95", "p99", "max", "success", "req/s")
    errors = ("HTTP errors", "time-outs", "connection errors", "wrong bodies")
    p99_hidden = any(requests.latency and requests.latency.p99_ms is None for _, requests in rows)
    return Section(
        title="Latency and errors by host",
        body=paragraphs(
            table((*header, *errors), [_request_row(name, requests) for name, requests in rows]),
            "Latency in ms, of right answers only; percentiles are exact.",
            f"{figures.NOT_SHOWN} : too few samples for a p99 that is more than the maximum."
            if p99_hidden
            else "",
        ),
    )


def errors_by_class(summary: Summary) -> Section:
    errors = summary.arm(Arm.HEAD).combined.errors
    body = table(("error", "requests"), [(error.value, f"{count:,}") for error, count in errors.items()])
    return Section(title="Errors by class", body=body if errors else "")


def objectives(report: Report) -> Section:
    rows = [_outcome_row(outcome) for outcome in report.verdict.outcomes]
    body = (
        table(("objective", "outcome", "value", "warns unless", "fails unless", "margin"), rows)
        if rows
        else ""
    )
    return Section(title="Objectives", body=body)


def setup(report: Report, *, folded: bool = False) -> Section:
    cluster, ingress = report.cluster, report.ingress
    made = (
        f", Kubernetes {escape.code(cluster.kubernetes_version)}, {cluster.nodes} nodes"
        if cluster.kubernetes_version
        else f", context {escape.code(cluster.context)}; of it only what the stack put there was measured"
    )
    lines = [
        f"Cluster: {escape.code(cluster.provider)}{made}",
        f"Ingress: {escape.code(ingress.controller)}, chart {escape.code(ingress.chart_version)}, "
        f"image {escape.code(ingress.image)}",
        *([_TLS] if ingress.certificate_secret else []),
        *(
            f"App {escape.code(app.name)}: image {escape.code(app.image)}, replicas {_replicas(app)}"
            for app in report.apps
        ),
    ]
    return Section(title="What was tested", body=items(lines), folded=folded)


def _replicas(app: AppTarget) -> str:
    most = f" to {app.autoscaler.max_replicas}" if app.autoscaler else ""
    return f"{app.replicas}{most}"


def _verdict_words(report: Report) -> str:
    if report.verdict.status is VerdictStatus.PASSED and not report.verdict.outcomes:
        return "⚪ Measured, not judged"
    return _VERDICT_WORDS[report.verdict.status]


def _tested(report: Report) -> ArmSummary:
    return report.summary.arm(Arm.HEAD)


def _request_row(name: str, requests: RequestSummary) -> tuple[str, ...]:
    return (
        name,
        *_latency_cells(requests.latency),
        figures.percent(requests.success_ratio if requests.requests else None),
        figures.number(requests.achieved_rps),
        f"{requests.http_errors:,}",
        f"{requests.timeouts:,}",
        f"{requests.connection_errors:,}",
        f"{requests.wrong_bodies:,}",
    )


def _latency_cells(latency: LatencyStats | None) -> tuple[str, ...]:
    if latency is None:
        return (figures.MISSING,) * 6
    before = (latency.average_ms, latency.p50_ms, latency.p90_ms, latency.p95_ms)
    return (*map(figures.number, before), figures.shown(latency.p99_ms), figures.number(latency.maximum_ms))


def _outcome_row(outcome: Outcome) -> tuple[str, ...]:
    limits = (
        figures.limit(limit, outcome.comparison)
        for limit in (outcome.objective.warn_limit, outcome.objective.fail_limit)
    )
    value, margin = figures.precise(outcome.value), figures.precise(outcome.margin)
    name, status = escape.code(outcome.objective.words), _OUTCOME_WORDS[outcome.status]
    return (name, status, value, *limits, margin)
