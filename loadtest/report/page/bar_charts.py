"""Charts of one row for each thing: what each scope used, how long stages took, which replicas were ready."""

from collections.abc import Callable, Sequence
from xml.etree import ElementTree as ET

from loadtest.monitoring.model import ReplicaHistory, ResourceUsage, ScopeUsage, Series
from loadtest.report import escape, figures
from loadtest.report.model import StageTiming
from loadtest.report.page import drawing
from loadtest.report.page.chart import Chart
from loadtest.report.page.drawing import Axes
from loadtest.report.page.scale import Scale, counted, linear, sized

_ROW, _BAR, _ABOVE, _BELOW = 24.0, 14.0, 26.0, 30.0
_NAMES = 170.0  # wide enough for names; a longer one is cut by its own cap
_NAME_LIMIT_CHARS = 24
_PANEL = 90.0

_SeriesOf = Callable[[ScopeUsage], Series]


def resources(usage: ResourceUsage) -> Chart:
    kinds: tuple[tuple[str, _SeriesOf, figures.Writer], ...] = (
        ("CPU cores", lambda scope: scope.cpu_cores, figures.number),
        ("memory", lambda scope: scope.memory_bytes, figures.size),
    )
    reading = (
        "The line goes from the least to the most that was read during the load, the dot is the average. "
        "The table tells how many readings each is of."
    )
    title = "CPU and memory during the load"
    height = _ABOVE + len(usage.scopes) * _ROW + _BELOW
    picture = drawing.new(len(kinds) * height, f"{title}. {reading}")
    for number, (name, series_of, write) in enumerate(kinds):
        named = [(scope.scope, series_of(scope)) for scope in usage.scopes]
        scale = sized if write is figures.size else linear
        _draw_ranges(picture, named, write, scale=scale, title=name, top=number * height + _ABOVE)
    rows = tuple(
        (escape.plain(scope.scope), name, *_series_cells(series_of(scope), write))
        for name, series_of, write in kinds
        for scope in usage.scopes
    )
    return Chart(
        name="resources",
        title=title,
        reading=reading,
        drawing=drawing.written(picture),
        header=("scope", "figure", "minimum", "average", "maximum", "samples"),
        rows=rows,
    )


def stages(timings: Sequence[StageTiming]) -> Chart:
    title, reading = "Stages", "One after the other, in seconds; a red one failed."
    picture = drawing.new(_ABOVE + len(timings) * _ROW + _BELOW, f"{title}. {reading}")
    total_s = sum(one.duration_s for one in timings)
    bottom = _ABOVE + len(timings) * _ROW
    axes = Axes(
        x=linear(total_s, start=_NAMES, end=drawing.RIGHT), y=Scale(low=0, high=1, start=bottom, end=_ABOVE)
    )
    _draw_scale(picture, axes, lambda value: f"{value:g} s")
    began_s = 0.0
    for number, one in enumerate(timings):
        middle = _ABOVE + (number + 0.5) * _ROW
        words = f"{escape.plain(one.stage)}: {one.duration_s:.1f} s"
        _draw_name(picture, one.stage, middle)
        marked = drawing.group(picture, words)
        place = (axes.x.at(began_s), axes.x.at(began_s + one.duration_s))
        kind = "count" if one.outcome == "ok" else "failed"
        drawing.box(marked, kind, x=place, y=(middle - _BAR / 2, middle + _BAR / 2))
        began_s += one.duration_s
    rows = tuple((escape.plain(one.stage), one.outcome, f"{one.duration_s:.1f}") for one in timings)
    return Chart(
        name="stages",
        title=title,
        reading=reading,
        drawing=drawing.written(picture),
        header=("stage", "outcome", "seconds"),
        rows=rows,
    )


def replicas(histories: Sequence[ReplicaHistory], window_s: float) -> Chart:
    title = "Ready replicas over time"
    reading = "From the beginning of the load to its end, by the cluster's clock, which tells whole seconds."
    most = max(step.replicas for one in histories for step in one.ready)
    picture = drawing.new(len(histories) * (_ABOVE + _PANEL + _BELOW), f"{title}. {reading}")
    last_s = max(window_s, *(step.at_s for one in histories for step in one.ready))
    for number, one in enumerate(histories):
        top = number * (_ABOVE + _PANEL + _BELOW) + _ABOVE
        axes = Axes(
            x=linear(last_s, start=drawing.LEFT, end=drawing.RIGHT),
            y=counted(most, start=top + _PANEL, end=top),
        )
        axes.draw(
            picture, x_label=lambda value: f"{value:g} s", y_label=figures.count, title=escape.plain(one.app)
        )
        ends_s = [*(step.at_s for step in one.ready[1:]), last_s]
        for step, end_s in zip(one.ready, ends_s, strict=True):
            marked = drawing.group(picture, f"from {step.at_s:.0f} s: {step.replicas:,}")
            place = (axes.x.at(step.at_s), axes.x.at(end_s))
            drawing.box(marked, "count", x=place, y=(axes.y.start, axes.y.at(step.replicas)))
    rows = tuple(
        (escape.plain(one.app), f"{step.at_s:.0f} s", f"{step.replicas:,}")
        for one in histories
        for step in one.ready
    )
    return Chart(
        name="replicas",
        title=title,
        reading=reading,
        drawing=drawing.written(picture),
        header=("app", "from", "ready replicas"),
        rows=rows,
    )


def _draw_ranges(
    picture: ET.Element,
    named: Sequence[tuple[str, Series]],
    write: figures.Writer,
    *,
    scale: Callable[..., Scale],
    title: str,
    top: float,
) -> None:
    bottom = top + len(named) * _ROW
    most = max((series.maximum or 0.0 for _, series in named), default=0.0)
    axes = Axes(x=scale(most, start=_NAMES, end=drawing.RIGHT), y=Scale(low=0, high=1, start=bottom, end=top))
    drawing.text(picture, title, "panel-title", x=drawing.LEFT, y=top - 6)
    _draw_scale(picture, axes, write)
    for number, (name, series) in enumerate(named):
        middle = top + (number + 0.5) * _ROW
        _draw_name(picture, name, middle)
        if series.average is None or series.minimum is None or series.maximum is None:
            drawing.text(picture, figures.MISSING, "legend", x=_NAMES + 4, y=middle + 4)
            continue
        least, average, most_read = _series_cells(series, write)[:3]
        marked = drawing.group(picture, f"{least} to {most_read}, {average} on average")
        place = (axes.x.at(series.minimum), axes.x.at(series.maximum))
        drawing.line(marked, "span", x=place, y=(middle, middle))
        drawing.put(marked, "circle", "average", cx=axes.x.at(series.average), cy=middle, r=5)


def _draw_scale(picture: ET.Element, axes: Axes, label: Callable[[float], str]) -> None:
    for value in axes.x.ticks():
        at = axes.x.at(value)
        drawing.line(picture, "grid", x=(at, at), y=(axes.y.start, axes.y.end))
        drawing.text(picture, label(value), "tick-x", x=at, y=axes.y.start + 18)


def _draw_name(picture: ET.Element, name: str, middle: float) -> None:
    drawing.text(picture, escape.plain(name, _NAME_LIMIT_CHARS), "tick-y", x=_NAMES - 8, y=middle + 4)


def _series_cells(series: Series, write: figures.Writer) -> tuple[str, ...]:
    return (*map(write, (series.minimum, series.average, series.maximum)), f"{series.samples:,}")
