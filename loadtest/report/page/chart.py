"""A chart as the page shows it: the drawing, how to read it, and its figures as a table."""

from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True, kw_only=True)
class Chart:
    """`rows` are all that is drawn, for those who cannot see it and for those who want it exactly."""

    name: str
    title: str
    reading: str
    drawing: Markup
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
