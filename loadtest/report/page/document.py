"""A page as one file: parts of prose and charts in a template, its own style, a policy that allows no more.

Leaves out what the parts say.
"""

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from loadtest.report.layout import Section
from loadtest.report.page.chart import Chart
from loadtest.report.page.prose import html

_FOLDER = Path(__file__).parent
_FOOTER = "Made by loadproof. This page holds no script and asks nothing of any network."


@dataclass(frozen=True, kw_only=True)
class Part:
    """`name` is where links within the page lead to."""

    name: str
    title: str
    prose: Markup
    charts: tuple[Chart, ...]


def part(section: Section, *charts: Chart) -> Part:
    name = re.sub(r"[^a-z0-9]+", "-", section.title.lower())
    return Part(name=name, title=section.title, prose=html(section.body), charts=charts)


def document(*, headline: str, head: str, parts: Sequence[Part]) -> str:
    """`head` is Markdown and begins with a heading; a part without anything in it is not shown at all."""
    style = (_FOLDER / "page.css").read_text()
    return _template().render(
        headline=headline,
        head=html(head.replace("## ", "# ", 1)),
        parts=[one for one in parts if one.prose or one.charts],
        style=Markup(style),  # noqa: S704 - ours
        style_hash=f"sha256-{b64encode(sha256(style.encode()).digest()).decode()}",
        footer=_FOOTER,
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("page.html")
