"""What each scope used over the load window, as curves: CPU and memory, one above the other."""

from collections.abc import Callable
from itertools import groupby
from xml.etree import ElementTree as ET

from loadtest.monitoring.model import ResourceUsage, ScopeUsage, Stretch
from loadtest.report import escape, figures
from loadtest.report.page import drawing
from loadtest.report.page.chart import Chart
from loadtest.report.page.drawing import Axes
from loadtest.report.page.scale import Scale, linear, sized

_MOST_SCOPES = 20
_PANEL, _ABOVE, _BELOW = 170.0, 34.0, 30.0

_ValueOf = Callable[[Stretch], float | None]
_KINDS: tuple[tuple[str, _ValueOf, figures.Writer, Callable[..., Scale]], ...] = (
    ("CPU cores", lambda stretch: stretch.cpu_cores, figures.number, linear),
    ("memory", lambda stretch: stretch.memory_bytes, figures.size, sized),
)


def over_time(usage: ResourceUsage) -> Chart | None:
    """None where the load was over before there was anything to draw; of very many scopes the first."""
    drawable = [scope for scope in usage.scopes if scope.over_time]
    scopes = drawable[:_MOST_SCOPES]
    if not scopes:
        return None
    title = "CPU and memory over time"
    reading = "Averages of equal parts of the load, as long as readings are apart; a gap is one without any."
    if left_out := len(drawable) - len(scopes):
        reading += f" {left_out:,} more scopes are in report.json."
    legend = len(scopes) * drawing.LEGEND_ROW
    picture = drawing.new(legend + len(_KINDS) * (_ABOVE + _PANEL + _BELOW), f"{title}. {reading}")
    for number, scope in enumerate(scopes):
        drawing.legend(picture, number, escape.plain(scope.scope))
    for place, (name, value_of, write, scale) in enumerate(_KINDS):
        bottom = legend + place * (_ABOVE + _PANEL + _BELOW) + _ABOVE + _PANEL
        most = max((value_of(one) or 0.0 for scope in scopes for one in scope.over_time), default=0.0)
        axes = Axes(
            x=linear(usage.window.duration_s, start=drawing.LEFT, end=drawing.RIGHT),
            y=scale(most, start=bottom, end=bottom - _PANEL),
        )
        axes.draw(picture, x_label=lambda value: f"{value:g} s", y_label=write, title=name)
        for number, scope in enumerate(scopes):
            _draw(picture, axes, number, scope, value_of, write)
    return Chart(
        name="resources-over-time",
        title=title,
        reading=reading,
        drawing=drawing.written(picture),
        header=("scope", "from", *(name for name, *_ in _KINDS)),
        rows=tuple(_row(scope, one) for scope in scopes for one in scope.over_time),
    )


def _draw(
    picture: ET.Element,
    axes: Axes,
    number: int,
    scope: ScopeUsage,
    value_of: _ValueOf,
    write: figures.Writer,
) -> None:
    """Each value in the middle of its part; a curve ends where one is missing and begins anew after it."""
    half_s = scope.over_time[1].at_s / 2 if len(scope.over_time) > 1 else 0.0

    def placed(one: Stretch) -> tuple[float, float, str]:
        value = value_of(one)
        hint = f"{escape.plain(scope.scope)} from {figures.seconds(one.at_s)}: {write(value)}"
        return axes.x.at(one.at_s + half_s), axes.y.at(value or 0.0), hint

    for is_missing, piece in groupby(scope.over_time, key=lambda one: value_of(one) is None):
        if not is_missing:
            drawing.curve(picture, number, list(map(placed, piece)))


def _row(scope: ScopeUsage, one: Stretch) -> tuple[str, ...]:
    cells = (write(value_of(one)) for _, value_of, write, _ in _KINDS)
    return (escape.plain(scope.scope), figures.seconds(one.at_s), *cells)
