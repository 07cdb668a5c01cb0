"""What can be said of a load that was cut short: the figures of the samples that were kept, and no verdict.

Leaves out resources and what the generator says of itself: they are told only when a load ends.
"""

from collections.abc import Sequence

import msgspec
import pyarrow as pa

from loadtest.errors import InconclusiveError
from loadtest.exit_codes import ExitCode
from loadtest.records import RunRecord
from loadtest.report.model import FailureReport, StageTiming
from loadtest.stats.summarise import summarise
from loadtest.stats.summary import Summary
from loadtest.stats.trace import trace

_HINT = "What was kept is shown, and nothing is judged by it. Run the load again."


def report_of(record: RunRecord, samples: pa.Table, timings: Sequence[StageTiming]) -> FailureReport:
    """Raises InconclusiveError where not one sample was kept."""
    if not len(samples):
        raise InconclusiveError(
            "the load was cut short before its first sample was kept", hint="Run the load again."
        )
    summary = summarise(samples, None)
    report = FailureReport(
        run=record.run,
        machine=record.machine,
        exit_code=ExitCode.INCONCLUSIVE,
        stage="load",
        reason=f"the load was cut short: {_kept(record, summary, len(samples))}",
        hint=_HINT,
        diagnostics_tail=(),
        timings=tuple(timings),
    )
    return _with(report, summary, samples)


def with_figures(report: FailureReport, samples: pa.Table) -> FailureReport:
    """The report of a failure in mid load, as it is where not one sample was kept."""
    return _with(report, summarise(samples, None), samples) if len(samples) else report


def _with(report: FailureReport, summary: Summary, samples: pa.Table) -> FailureReport:
    return msgspec.structs.replace(report, summary=summary, curves=trace(samples, summary, None))


def _kept(record: RunRecord, summary: Summary, requests: int) -> str:
    planned = record.plan.profile.planned_requests
    of_planned = "requests" if planned is None else f"of {planned:,} planned requests"
    return f"{requests:,} {of_planned} within {summary.duration_s:.3g} s were kept"
