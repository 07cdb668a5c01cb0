"""What the comment says of a security scan: findings by severity, and what was not looked at."""

from loadtest.report import escape, figures
from loadtest.report.layout import Section, items, paragraphs, table
from loadtest.security import Findings, PartFindings, Severity

_TITLE = "Security scan"


def security(findings: Findings | None) -> Section:
    """Nothing where nothing was scanned."""
    if findings is None:
        return Section(title=_TITLE, body="")
    left_out = [
        f"{escape.inline(one.part)}: left out {escape.inline(words)}"
        for one in findings.parts
        for words in one.left_out
    ]
    body = paragraphs(
        table(("part", *Severity), [_row(one) for one in findings.parts]),
        items(left_out),
        f"Scanned {escape.code(findings.scanned_at)}; advice, and no part of the verdict. "
        "What was found stands in the SARIF files of the artifacts.",
    )
    return Section(title=_TITLE, body=body)


def _row(found: PartFindings) -> tuple[str, ...]:
    if found.counts is None:
        return (escape.inline(found.part), *[figures.MISSING] * len(Severity))
    return (escape.inline(found.part), *(f"{found.counts.get(one, 0):,}" for one in Severity))
