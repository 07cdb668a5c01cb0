"""One run as one line of a history: few figures, and what tells whether two lines may be compared."""

import msgspec

from loadtest.report.model import AnyReport, FailureReport, Report
from loadtest.sample import Arm


def line(report: AnyReport) -> str:
    """A JSON object. A run that measured nothing has its outcome and no figures."""
    run = report.run
    of_run = {"created_at": run.created_at, "commit": run.commit, "stack": run.stack, "run_url": run.run_url}
    match report:
        case Report():
            return _json({**of_run, "outcome": report.verdict.status, **_figures(report)})
        case FailureReport():
            return _json({**of_run, "outcome": "failed", "reason": report.exit_code.name.lower()})


def _figures(report: Report) -> dict[str, object]:
    requests = report.summary.arm(Arm.HEAD).combined
    latency = requests.latency
    return {
        "fingerprint": report.fingerprint,
        "cpu_model": report.machine.cpu_model,
        "requests": requests.requests,
        "success_ratio": requests.success_ratio,
        "achieved_rps": requests.achieved_rps,
        "latency_p50_ms": latency.p50_ms if latency else None,
        "latency_p95_ms": latency.p95_ms if latency else None,
        "latency_p99_ms": latency.p99_ms if latency else None,
    }


def _json(values: dict[str, object]) -> str:
    return msgspec.json.encode(values).decode()
