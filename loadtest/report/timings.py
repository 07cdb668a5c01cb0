"""timings.json: seconds per stage, for benchmarks and trends."""

from collections.abc import Sequence

import msgspec

from loadtest.report.model import AnyReport, StageTiming

SCHEMA_VERSION = 1


def render(report: AnyReport) -> str:
    return render_timings(report.timings)


def render_timings(timings: Sequence[StageTiming]) -> str:
    """For a run's very end, when the stages after the report are timed as well."""
    total_s = sum(timing.duration_s for timing in timings)
    document = {"schema_version": SCHEMA_VERSION, "total_s": total_s, "stages": list(timings)}
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"
