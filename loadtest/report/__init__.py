"""The report as a value and its renderers: a format reads the report and nothing else."""

from collections.abc import Callable, Mapping

from loadtest.report import comment, json_format, markdown, page
from loadtest.report.model import AnyReport

Renderer = Callable[[AnyReport], str]

FORMATS: Mapping[str, Renderer] = {
    "json": json_format.render,
    "markdown": markdown.render,
    "comment": comment.render,
    "page": page.render,
}
