"""What can be said of a load that was cut short: the figures of the samples that were kept, and no verdict.

Leaves out resources and what the generator says of itself: they are told only when a load ends.
"""

from collections.abc import Sequence

import pyarrow as pa

from loadtest.errors import InconclusiveError
from loadtest.exit_codes import ExitCode
from loadtest.records import RunRecord
from loadtest.report.model import FailureReport, StageTiming
from loadtest.stats.summarise import summarise
from loadtest.stats.trace import trace

_HINT = "What was kept is shown, and nothing is judged by it. Run the load again."


def report_of(record: RunRecord, samples: pa.Table, timings: Sequence[StageTiming]) -> FailureReport:
    """Raises InconclusiveError where not one sample was kept."""
    if not len(samples):
        raise InconclusiveError(
            "the load was cut short before its first sample was kept", hint="Run the load again."
        )
    summary = summarise(samples, None)
    planned = record.plan.profile.planned_requests
    of_planned = "requests" if planned is None else f"of {planned:,} planned requests"
    kept = f"{len(samples):,} {of_planned} within {summary.duration_s:.3g} s were kept"
    return FailureReport(
        run=record.run,
        machine=record.machine,
        exit_code=ExitCode.INCONCLUSIVE,
        stage="load",
        reason=f"the load was cut short: {kept}",
        hint=_HINT,
        diagnostics_tail=(),
        timings=tuple(timings),
        summary=summary,
        curves=trace(samples, summary, None),
    )
