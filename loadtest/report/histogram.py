"""How latencies were spread, drawn with characters: a row for each host, all on one scale of equal ratios.

For where there can be no picture. Leaves out axes beyond the two ends; report.html has the charts.
"""

import math
from collections.abc import Mapping, Sequence

from loadtest.report import escape, figures
from loadtest.report.layout import Section, paragraphs
from loadtest.stats.curves import Bin, Curves

_BARS = "▁▂▃▄▅▆▇█"
_MOST_COLUMNS = 120
_LEAST_STEP = 1e-3
_MOST_HOSTS = 20
_NAME_LIMIT_CHARS = 40
_LEGEND = (
    "From left to right each column's latencies are longer than those before by the same factor; the highest "
    "bar of a row is its own most frequent latency, and where there is no bar there was no answer."
)


def histograms(curves: Curves) -> Section:
    """Nothing where nothing was answered rightly."""
    drawn = {host: one.histogram for host, one in list(curves.hosts.items())[:_MOST_HOSTS] if one.histogram}
    body = _drawn(drawn) if drawn and all(map(_sound, drawn.values())) else ""
    return Section(title="How latencies were spread", body=body)


def _drawn(drawn: Mapping[str, Sequence[Bin]]) -> str:
    bins = [one for row in drawn.values() for one in row]
    low_ms, high_ms = min(one.low_ms for one in bins), max(one.high_ms for one in bins)
    step = _distance(bins[0].low_ms, bins[0].high_ms)
    columns = round(_distance(low_ms, high_ms) / step)
    if not 0 < columns <= _MOST_COLUMNS:  # a report from outside may have any bins
        return ""
    names = [host[:_NAME_LIMIT_CHARS] for host in drawn]
    width = max(map(len, names))
    rows = [
        f"{name:<{width}} {_row(row, low_ms, step, columns)}"
        for name, row in zip(names, drawn.values(), strict=True)
    ]
    ends = figures.milliseconds(low_ms), figures.milliseconds(high_ms)
    scale = f"{'':<{width}} {ends[0]}{ends[1]:>{max(columns - len(ends[0]), len(ends[1]) + 1)}}"
    return paragraphs(escape.block([*rows, scale]), _LEGEND)


def _row(bins: Sequence[Bin], low_ms: float, step: float, columns: int) -> str:
    counts = [0] * columns
    for one in bins:
        counts[min(round(_distance(low_ms, one.low_ms) / step), columns - 1)] += one.samples
    most = max(counts)
    return "".join(_BARS[round(count / most * (len(_BARS) - 1))] if count else " " for count in counts)


def _sound(bins: Sequence[Bin]) -> bool:
    return all(
        0 < one.low_ms < one.high_ms < math.inf
        and _distance(one.low_ms, one.high_ms) > _LEAST_STEP
        and one.samples >= 0
        for one in bins
    )


def _distance(low_ms: float, high_ms: float) -> float:
    return math.log(high_ms) - math.log(low_ms)
