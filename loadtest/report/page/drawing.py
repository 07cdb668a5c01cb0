"""Drawings as SVG: a panel with axes, and what is put on it. Colours and type are the style sheet's.

Text is escaped by the library that writes the tree. Leaves out what is drawn (the charts).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from markupsafe import Markup

from loadtest.report.page.scale import Scale

WIDTH = 960.0
LEFT, RIGHT = 64.0, WIDTH - 32.0
LEGEND_ROW = 18.0
_KINDS_OF_LINE = 6
_TICK_GAP = 6.0
_LINE_HEIGHT = 14.0

Attribute = str | float
Label = Callable[[float], str]


def new(height: float, label: str) -> ET.Element:
    """`label` is what those hear who cannot see it."""
    return ET.Element("svg", {"viewBox": f"0 0 {WIDTH:g} {height:g}", "role": "img", "aria-label": label})


def put(parent: ET.Element, name: str, kind: str = "", /, **attributes: Attribute) -> ET.Element:
    """A shape of a kind that the style sheet knows; `_` in the name of an attribute stands for `-`."""
    given = {key.replace("_", "-"): _written(value) for key, value in attributes.items()}
    return ET.SubElement(parent, name, {**({"class": kind} if kind else {}), **given})


def text(parent: ET.Element, words: str, kind: str, *, x: float, y: float) -> None:
    put(parent, "text", kind, x=x, y=y).text = words


def group(parent: ET.Element, hint: str) -> ET.Element:
    """Shapes that tell their figures where a pointer rests on them."""
    made = put(parent, "g")
    put(made, "title").text = hint
    return made


def box(parent: ET.Element, kind: str, *, x: tuple[float, float], y: tuple[float, float]) -> None:
    """From corner to corner, whichever are given; never so flat that nobody sees it."""
    put(
        parent,
        "rect",
        kind,
        x=min(x),
        y=min(y),
        width=max(abs(x[1] - x[0]), 1.0),
        height=max(abs(y[1] - y[0]), 1.0),
    )


def line(parent: ET.Element, kind: str, *, x: tuple[float, float], y: tuple[float, float]) -> None:
    put(parent, "line", kind, x1=x[0], x2=x[1], y1=y[0], y2=y[1])


def curve(parent: ET.Element, number: int, points: Sequence[tuple[float, float, str]]) -> None:
    """The curve of that number through these places, each with what it tells where a pointer rests on it."""
    kind = _kind_of_line(number)
    corners = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in points)
    put(parent, "polyline", f"line {kind}", points=corners)
    for x, y, hint in points:
        put(group(parent, hint), "circle", f"dot {kind}", cx=x, cy=y, r=3.5)


def legend(parent: ET.Element, number: int, name: str) -> None:
    """What the curve of that number is of, a row of LEGEND_ROW above the others."""
    y = (number + 1) * LEGEND_ROW
    line(parent, f"line {_kind_of_line(number)}", x=(LEFT, LEFT + 36), y=(y, y))
    text(parent, name, "legend", x=LEFT + 44, y=y + 4)


def _kind_of_line(number: int) -> str:
    return f"line-{number % _KINDS_OF_LINE}"


@dataclass(frozen=True, kw_only=True)
class Axes:
    """A panel's two scales; `y` begins at the panel's bottom."""

    x: Scale
    y: Scale

    def draw(self, parent: ET.Element, *, x_label: Label, y_label: Label, title: str) -> None:
        text(parent, title, "panel-title", x=LEFT, y=self.y.end - _TICK_GAP)
        for value in self.y.ticks():
            line(parent, "grid", x=(self.x.start, self.x.end), y=(self.y.at(value),) * 2)
            text(parent, y_label(value), "tick-y", x=self.x.start - _TICK_GAP, y=self.y.at(value) + 4)
        for value in self.x.ticks():
            line(parent, "tick", x=(self.x.at(value),) * 2, y=(self.y.start, self.y.start + _TICK_GAP))
            text(
                parent,
                x_label(value),
                "tick-x",
                x=self.x.at(value),
                y=self.y.start + _TICK_GAP + _LINE_HEIGHT,
            )
        line(parent, "axis", x=(self.x.start, self.x.end), y=(self.y.start,) * 2)


def written(drawing: ET.Element) -> Markup:
    return Markup(ET.tostring(drawing, encoding="unicode", method="html"))  # noqa: S704 - escaped by it


def _written(value: Attribute) -> str:
    return value if isinstance(value, str) else f"{value:.1f}".removesuffix(".0")
