"""Sections as HTML: they are written once, in Markdown, and shown the same in every format.

Of HTML within the Markdown nothing gets through but the type of code, which `escape` makes; links go to the
web alone. Leaves out what the sections say.
"""

from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

_OUR_OWN_TAGS = {"<code>", "</code>"}
_TABLE_OPENS = '<div class="wide" tabindex="0" role="group" aria-label="Table">\n'
_TABLE_CLOSES = "</div>\n"
_PARSER = MarkdownIt("commonmark").enable("table").disable(["html_block", "image"])


def html(markdown: str) -> Markup:
    tokens = list(_adapted(_PARSER.parse(markdown)))
    return Markup(_PARSER.renderer.render(tokens, _PARSER.options, {}))  # noqa: S704 - its HTML became text


def _adapted(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        if token.type == "table_open":
            yield Token("html_block", "", 0, content=_TABLE_OPENS)
        _take_html(token.children or ())
        _align(token)
        yield token
        if token.type == "table_close":
            yield Token("html_block", "", 0, content=_TABLE_CLOSES)


def _take_html(children: Sequence[Token]) -> None:
    for child in children:
        if child.type == "html_inline" and child.content not in _OUR_OWN_TAGS:
            child.type = "text"


def _align(token: Token) -> None:
    """By a class: the page allows no style outside its own sheet."""
    if token.attrs.pop("style", None) == "text-align:right":
        token.attrs["class"] = "figure"
    if token.type == "th_open":
        token.attrs["scope"] = "col"
