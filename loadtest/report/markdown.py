"""report.md: everything a person may want to read of one run, nothing folded."""

from loadtest.report.contents import contents, head
from loadtest.report.layout import document
from loadtest.report.model import AnyReport

LIMIT_BYTES = 1_000_000  # it goes into the job summary as well, which holds 1 MiB


def render(report: AnyReport) -> str:
    return document(head(report), tuple(contents(report).values()), limit_bytes=LIMIT_BYTES)
