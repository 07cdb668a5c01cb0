"""Charts over the load window: latency, errors and the generator's own delay, a panel for each host.

A span of time is drawn whole, from its fastest answer to its slowest: nothing is dropped to draw less.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from loadtest.chaos.model import ChaosOutcome
from loadtest.report import escape, figures
from loadtest.report.page import drawing
from loadtest.report.page.chart import Chart
from loadtest.report.page.drawing import Axes
from loadtest.report.page.scale import Scale, counted, linear, logarithmic
from loadtest.sample import ErrorClass
from loadtest.stats.curves import Curves, Span

_PANEL, _ABOVE, _BELOW = 150.0, 26.0, 30.0
_DrawSpan = Callable[[ET.Element, Axes, Span, tuple[float, float]], None]
_Cells = Callable[[Span], tuple[str, ...]]


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """What one of these charts draws of a span, and says of it."""

    name: str
    title: str
    reading: str
    header: tuple[str, ...]
    cells: _Cells
    draw: _DrawSpan
    y_label: Callable[[float], str] = figures.number


def latency(curves: Curves, chaos: Sequence[ChaosOutcome]) -> Chart:
    spreads = [span.latency for span in _all_spans(curves) if span.latency]
    bounds_ms = [value for one in spreads for value in (one.minimum_ms, one.maximum_ms)]
    kind = _Kind(
        name="latency-over-time",
        title="Latency over time",
        reading=f"Of right answers, by when the request was sent, in spans of {_width(curves)}: the bar goes "
        "from the fastest to the slowest, its stronger part from p50 to p95, the line is p50. "
        "Milliseconds on a logarithmic scale.",
        header=("minimum ms", "p50 ms", "p95 ms", "p99 ms", "maximum ms"),
        cells=_latency_cells,
        draw=_draw_latency,
    )
    return _chart(kind, curves, chaos, lambda start, end: logarithmic(bounds_ms, start=start, end=end))


def errors(curves: Curves, chaos: Sequence[ChaosOutcome]) -> Chart:
    most = max((span.requests for span in _all_spans(curves)), default=0)
    classes = [one for one in ErrorClass if any(one in span.errors for span in _all_spans(curves))]
    kind = _Kind(
        name="requests-over-time",
        title="Requests and errors over time",
        reading=f"Requests that were sent within each {_width(curves)}; the red part of a bar failed.",
        header=("requests", "failed", *(one.value for one in classes)),
        cells=lambda span: _error_cells(span, classes),
        draw=_draw_errors,
        y_label=figures.count,
    )
    return _chart(kind, curves, chaos, lambda start, end: counted(most, start=start, end=end))


def delay(curves: Curves, chaos: Sequence[ChaosOutcome]) -> Chart | None:
    """None where the engine does not tell when it meant to send."""
    delays = [span.delay for span in _all_spans(curves) if span.delay]
    if not delays:
        return None
    kind = _Kind(
        name="delay-over-time",
        title="Schedule delay over time",
        reading=f"How late the load generator itself sent, in spans of {_width(curves)}: the bar goes up to "
        "the latest, its stronger part to p50. In milliseconds; what is long is not the service's doing.",
        header=("p50 ms", "maximum ms"),
        cells=_delay_cells,
        draw=_draw_delay,
    )
    most_ms = max(one.maximum_ms for one in delays)
    return _chart(kind, curves, chaos, lambda start, end: linear(most_ms, start=start, end=end))


def _chart(
    kind: _Kind,
    curves: Curves,
    chaos: Sequence[ChaosOutcome],
    y_scale: Callable[[float, float], Scale],
) -> Chart:
    height = len(curves.hosts) * (_ABOVE + _PANEL + _BELOW)
    picture = drawing.new(height, f"{kind.title}. {kind.reading} The figures are in the table below.")
    for number, (host, one) in enumerate(curves.hosts.items()):
        top = number * (_ABOVE + _PANEL + _BELOW) + _ABOVE
        x = linear(len(one.spans) * curves.span_s, start=drawing.LEFT, end=drawing.RIGHT)
        axes = Axes(x=x, y=y_scale(top + _PANEL, top))
        axes.draw(picture, x_label=_seconds, y_label=kind.y_label, title=escape.plain(host))
        _shade_chaos(picture, axes, chaos)
        _draw_spans(picture, kind, axes, one.spans, curves.span_s)
        _mark_chaos(picture, axes, chaos)
    rows = [
        (escape.plain(host), _seconds(span.at_s), *kind.cells(span))
        for host, one in curves.hosts.items()
        for span in one.spans
    ]
    return Chart(
        name=kind.name,
        title=kind.title,
        reading=kind.reading,
        drawing=drawing.written(picture),
        header=("host", "from", *kind.header),
        rows=tuple(rows),
    )


def _draw_spans(picture: ET.Element, kind: _Kind, axes: Axes, spans: Sequence[Span], span_s: float) -> None:
    for span in spans:
        named = zip(kind.header, kind.cells(span), strict=True)
        hint = f"from {_seconds(span.at_s)}: " + ", ".join(f"{name} {cell}" for name, cell in named)
        place = (axes.x.at(span.at_s) + 0.5, axes.x.at(span.at_s + span_s) - 0.5)
        kind.draw(drawing.group(picture, hint), axes, span, place)


def _draw_latency(parent: ET.Element, axes: Axes, span: Span, x: tuple[float, float]) -> None:
    if span.latency is None:
        return
    one, y = span.latency, axes.y.at
    drawing.box(parent, "range", x=x, y=(y(one.minimum_ms), y(one.maximum_ms)))
    drawing.box(parent, "middle", x=x, y=(y(one.p50_ms), y(one.p95_ms)))
    drawing.line(parent, "median", x=x, y=(y(one.p50_ms),) * 2)


def _latency_cells(span: Span) -> tuple[str, ...]:
    if span.latency is None:
        return (figures.NOT_SHOWN,) * 5
    one = span.latency
    return (
        *map(figures.number, (one.minimum_ms, one.p50_ms, one.p95_ms)),
        figures.shown(one.p99_ms),
        figures.number(one.maximum_ms),
    )


def _draw_errors(parent: ET.Element, axes: Axes, span: Span, x: tuple[float, float]) -> None:
    failed = sum(span.errors.values())
    if span.requests:
        drawing.box(parent, "count", x=x, y=(axes.y.start, axes.y.at(span.requests)))
    if failed:
        drawing.box(parent, "failed", x=x, y=(axes.y.start, axes.y.at(failed)))


def _error_cells(span: Span, classes: Iterable[ErrorClass]) -> tuple[str, ...]:
    counts = (span.requests, sum(span.errors.values()), *(span.errors.get(one, 0) for one in classes))
    return tuple(map(figures.count, counts))


def _draw_delay(parent: ET.Element, axes: Axes, span: Span, x: tuple[float, float]) -> None:
    if span.delay:
        drawing.box(parent, "range", x=x, y=(axes.y.start, axes.y.at(span.delay.maximum_ms)))
        drawing.box(parent, "middle", x=x, y=(axes.y.start, axes.y.at(span.delay.p50_ms)))


def _delay_cells(span: Span) -> tuple[str, ...]:
    if span.delay is None:
        return (figures.NOT_SHOWN,) * 2
    return (figures.number(span.delay.p50_ms), figures.number(span.delay.maximum_ms))


def _shade_chaos(picture: ET.Element, axes: Axes, chaos: Sequence[ChaosOutcome]) -> None:
    """While it lasted, behind what it did."""
    for outcome in chaos:
        if outcome.at_s is not None and outcome.over_s is not None:
            place = (axes.x.at(outcome.at_s), axes.x.at(outcome.over_s))
            drawing.box(picture, "disturbed", x=place, y=(axes.y.start, axes.y.end))


def _mark_chaos(picture: ET.Element, axes: Axes, chaos: Sequence[ChaosOutcome]) -> None:
    for outcome in chaos:
        if outcome.at_s is not None:
            at = axes.x.at(outcome.at_s)
            words = f"{outcome.event.action} {escape.plain(outcome.event.target)}"
            drawing.line(picture, "disturbance", x=(at, at), y=(axes.y.start, axes.y.end))
            drawing.text(picture, words, "mark", x=at + 4, y=axes.y.end + 12)


def _all_spans(curves: Curves) -> list[Span]:
    return [span for one in curves.hosts.values() for span in one.spans]


def _width(curves: Curves) -> str:
    return _seconds(curves.span_s)


def _seconds(value_s: float) -> str:
    return f"{value_s:.6g} s"
