"""How a figure is written: three significant digits, its unit, and `missing` where there is none.

Figures keep their base units everywhere else; only here are they turned into what people read.
"""

import math
from collections.abc import Callable

from loadtest.comparison import Comparison

MISSING = "missing"
NOT_SHOWN = "\N{EN DASH}"
_MOST_DECIMALS = 3

Writer = Callable[[float | None], str]


def number(value: float | None) -> str:
    """Three significant digits, at most three decimals; what is not nought never reads as nought."""
    if value is None or not math.isfinite(value):
        return MISSING
    if value == 0:
        return "0"
    if abs(value) < 0.5 * 10**-_MOST_DECIMALS:
        return f"{'' if value > 0 else '-'}<{10**-_MOST_DECIMALS}"
    magnitude = math.floor(math.log10(abs(value)))
    return f"{value:,.{max(0, min(_MOST_DECIMALS, 2 - magnitude))}f}"


def count(value: float | None) -> str:
    """Of whole things, though an average of them need not be whole."""
    return f"{value:,.0f}" if value is not None and float(value).is_integer() else number(value)


def precise(value: float | None) -> str:
    """Six significant digits, for figures that are held against a limit in the same unit."""
    if value is None or not math.isfinite(value):
        return MISSING
    return f"{value:,.0f}" if abs(value) >= 1_000_000 else f"{value:,.6g}"


def shown(value: float | None, unit: str = "") -> str:
    """A figure that is left out on purpose where there is none."""
    return NOT_SHOWN if value is None else number(value) + unit


def limit(value: float | None, comparison: Comparison) -> str:
    return NOT_SHOWN if value is None else f"{comparison.words} {precise(value)}"


def seconds(value_s: float | None) -> str:
    return MISSING if value_s is None else f"{number(value_s)} s"


def milliseconds(value_ms: float | None) -> str:
    return MISSING if value_ms is None else f"{number(value_ms)} ms"


def percent(ratio: float | None) -> str:
    """Cut off and not rounded: 100 % means all, and anything above 0 is told from none."""
    if ratio is None or not math.isfinite(ratio * 10_000):  # a report from outside may say anything
        return MISSING
    hundredths = math.floor(ratio * 10_000 + 1e-9)
    return "<0.01 %" if ratio > 0 and hundredths == 0 else f"{hundredths / 100:g} %"


def size(value_bytes: float | None) -> str:
    if value_bytes is None:
        return MISSING
    for unit in ("B", "KiB", "MiB"):
        if abs(value_bytes) < 1024:
            return f"{number(value_bytes)} {unit}"
        value_bytes /= 1024
    return f"{number(value_bytes)} GiB"


def rate(value_bytes_per_s: float | None) -> str:
    return MISSING if value_bytes_per_s is None else f"{size(value_bytes_per_s)}/s"
