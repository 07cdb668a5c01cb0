"""Charts of how latencies were spread: how many took how long, and what share took no longer."""

from math import log10
from xml.etree import ElementTree as ET

from loadtest.report import escape, figures
from loadtest.report.page import drawing
from loadtest.report.page.chart import Chart
from loadtest.report.page.drawing import Axes
from loadtest.report.page.scale import Scale, counted, logarithmic
from loadtest.stats.curves import Bin, Curves, Quantile

_PANEL, _ABOVE, _BELOW = 150.0, 26.0, 30.0
_PLOT = 260.0
_SHARES = (0.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 99.99, 99.999)


def histogram(curves: Curves) -> Chart:
    reading = (
        "How many right answers took how long: each bar is a twentieth of a decade wide, "
        "on a logarithmic scale of milliseconds."
    )
    bins = [one for host in curves.hosts.values() for one in host.histogram]
    bounds_ms = [value for one in bins for value in (one.low_ms, one.high_ms)]
    most = max((one.samples for one in bins), default=0)
    title = "Latency distribution"
    picture = drawing.new(len(curves.hosts) * (_ABOVE + _PANEL + _BELOW), f"{title}. {reading}")
    x = logarithmic(bounds_ms, start=drawing.LEFT, end=drawing.RIGHT)
    for number, (host, one) in enumerate(curves.hosts.items()):
        top = number * (_ABOVE + _PANEL + _BELOW) + _ABOVE
        axes = Axes(x=x, y=counted(most, start=top + _PANEL, end=top))
        axes.draw(picture, x_label=_milliseconds, y_label=figures.count, title=escape.plain(host))
        for held in one.histogram:
            _draw_bin(picture, axes, held)
    rows = tuple(
        (escape.plain(host), figures.number(one.low_ms), figures.number(one.high_ms), f"{one.samples:,}")
        for host, curve in curves.hosts.items()
        for one in curve.histogram
    )
    return Chart(
        name="latency-distribution",
        title=title,
        reading=reading,
        drawing=drawing.written(picture),
        header=("host", "from ms", "below ms", "requests"),
        rows=rows,
    )


def percentiles(curves: Curves) -> Chart:
    reading = (
        "What share of right answers took no longer than that, on scales that stretch the slowest ones. "
        "A line ends where fewer than ten answers lie beyond."
    )
    title = "Latency by percentile"
    legend = len(curves.hosts) * drawing.LEGEND_ROW
    picture = drawing.new(_ABOVE + legend + _PLOT + _BELOW, f"{title}. {reading}")
    points = [point for host in curves.hosts.values() for point in host.quantiles]
    axes = Axes(
        x=Scale(low=0.0, high=_stretched(_last(points)), start=drawing.LEFT, end=drawing.RIGHT),
        y=logarithmic((one.value_ms for one in points), start=_ABOVE + legend + _PLOT, end=_ABOVE + legend),
    )
    _draw_shares(picture, axes)
    for number, (host, one) in enumerate(curves.hosts.items()):
        drawing.curve(picture, number, [_placed(axes, point) for point in one.quantiles])
        drawing.legend(picture, number, escape.plain(host))
    rows = tuple(
        (escape.plain(host), f"{point.percent:g} %", figures.number(point.value_ms))
        for host, one in curves.hosts.items()
        for point in one.quantiles
    )
    return Chart(
        name="latency-by-percentile",
        title=title,
        reading=reading,
        drawing=drawing.written(picture),
        header=("host", "percentile", "ms"),
        rows=rows,
    )


def _draw_bin(picture: ET.Element, axes: Axes, held: Bin) -> None:
    if not held.samples:
        return
    low, high = figures.number(held.low_ms), figures.number(held.high_ms)
    marked = drawing.group(picture, f"{held.samples:,} requests from {low} to {high} ms")
    place = (axes.x.at(held.low_ms) + 0.5, axes.x.at(held.high_ms) - 0.5)
    drawing.box(marked, "count", x=place, y=(axes.y.start, axes.y.at(held.samples)))


def _draw_shares(picture: ET.Element, axes: Axes) -> None:
    for value in axes.y.ticks():
        drawing.line(picture, "grid", x=(axes.x.start, axes.x.end), y=(axes.y.at(value),) * 2)
        drawing.text(picture, _milliseconds(value), "tick-y", x=axes.x.start - 6, y=axes.y.at(value) + 4)
    for share in _SHARES:
        if _stretched(share) <= axes.x.high:
            at = axes.x.at(_stretched(share))
            drawing.line(picture, "grid", x=(at, at), y=(axes.y.start, axes.y.end))
            drawing.text(picture, f"{share:g} %", "tick-x", x=at, y=axes.y.start + 20)


def _placed(axes: Axes, point: Quantile) -> tuple[float, float, str]:
    hint = f"p{point.percent:g}: {figures.milliseconds(point.value_ms)}"
    return axes.x.at(_stretched(point.percent)), axes.y.at(point.value_ms), hint


def _last(points: list[Quantile]) -> float:
    return max((one.percent for one in points), default=90.0)


def _stretched(percent: float) -> float:
    """Each nine takes as much room as the one before it."""
    return -log10(1 - percent / 100)


def _milliseconds(value_ms: float) -> str:
    return f"{value_ms:g} ms"
