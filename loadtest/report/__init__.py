"""The report as a value and its renderers: a format reads the report and nothing else."""

from collections.abc import Callable, Mapping

from loadtest.report import comment, json_format, markdown
from loadtest.report.model import AnyReport

Renderer = Callable[[AnyReport], str]


def _page(report: AnyReport) -> str:
    # What it is made with takes as long to import as all else that every verb needs.
    from loadtest.report import page

    return page.render(report)


FORMATS: Mapping[str, Renderer] = {
    "json": json_format.render,
    "markdown": markdown.render,
    "comment": comment.render,
    "page": _page,
}
