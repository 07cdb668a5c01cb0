"""What is said of a run that ended before there was anything to judge: why, what to do, last lines."""

from loadtest.exit_codes import ExitCode
from loadtest.report import escape
from loadtest.report.layout import Section, items, paragraphs
from loadtest.report.model import FailureReport

_WORDS = {
    ExitCode.USAGE: "wrong use or configuration",
    ExitCode.MACHINE: "the machine lacks something",
    ExitCode.DEPLOY_FAILED: "the stack did not come up",
    ExitCode.UNHEALTHY: "the stack came up and does not answer as it should",
    ExitCode.INCONCLUSIVE: "nothing can be said",
    ExitCode.CLEANUP_INCOMPLETE: "something is left behind",
    ExitCode.INTERRUPTED: "the run was interrupted",
}
_REASON_LIMIT_CHARS = 1_000


def headline(report: FailureReport) -> str:
    """One line of plain text."""
    if report.summary:
        return "⚠️ Cut short: figures of a part of the load"
    return f"❌ Not measured: {_WORDS.get(report.exit_code, 'the run failed')}"


def head(report: FailureReport) -> str:
    """A reason of several lines is one of several things, each of which stays on a line of its own."""
    first, *others = [line.strip() for line in report.reason.splitlines() if line.strip()] or [""]
    return paragraphs(
        f"## {headline(report)}",
        f"Stage {escape.code(report.stage)}: {escape.inline(first, _REASON_LIMIT_CHARS)}",
        items([escape.inline(line.removeprefix("- "), _REASON_LIMIT_CHARS) for line in others]),
        escape.inline(report.hint, _REASON_LIMIT_CHARS),
    )


def diagnostics(report: FailureReport) -> Section:
    body = escape.block(report.diagnostics_tail) if report.diagnostics_tail else ""
    return Section(title="Last lines of the diagnostics", body=body)
