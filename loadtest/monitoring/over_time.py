"""What a scope used from one stretch of the load to the next, for a curve: pure functions.

Stretches are equal and as long as readings are apart, so that a curve shows no more than was read.
"""

from collections.abc import Sequence

from loadtest.monitoring.model import Stretch
from loadtest.monitoring.readings import Reading, Span
from loadtest.monitoring.window import counters_over, gauges_over

_MOST_STRETCHES = 60

Rows = Sequence[Sequence[Reading]]


def over_time(
    cpu: Rows, memory: Rows, span: Span, *, interval_s: float, hold_s: float
) -> tuple[Stretch, ...]:
    """Nothing where the load was over before a second reading: one stretch is no curve."""
    count = min(_MOST_STRETCHES, int(span.duration_s / interval_s))
    length_s = span.duration_s / max(count, 1)
    starts_s = [number * length_s for number in range(count)] if count > 1 else []
    return tuple(_stretch(cpu, memory, span, at_s, length_s, hold_s) for at_s in starts_s)


def _stretch(cpu: Rows, memory: Rows, span: Span, at_s: float, length_s: float, hold_s: float) -> Stretch:
    start_s = span.start_s + at_s
    within = Span(start_s=start_s, end_s=min(start_s + length_s, span.end_s))
    return Stretch(
        at_s=at_s,
        cpu_cores=counters_over(cpu, within).rate_per_s.average,
        memory_bytes=gauges_over(memory, within, hold_s=hold_s).average,
    )
