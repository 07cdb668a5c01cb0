"""What a report says of a security scan: findings by severity, the severe ones by name, what was left out."""

from collections.abc import Sequence

from loadtest.report import escape, figures
from loadtest.report.layout import Section, items, paragraphs, table
from loadtest.report.model import AnyReport
from loadtest.security import SEVERE, Finding, Findings, PartFindings, Severity

_TITLE = "Security scan"
_NOT_SCANNED = "Not scanned: a report shows what `make scan` found before it was made."
_LEGEND = (
    "Advice, and no part of the verdict; explained: by a statement in the repository, counted nowhere else. "
    "All of it stands in the scan's own files among the artifacts."
)


def security(report: AnyReport) -> Section:
    """A scan that is missing is said to be: it is not one that found nothing."""
    return Section(title=_TITLE, body=_body(report.security))


def _body(findings: Findings | None) -> str:
    if findings is None:
        return _NOT_SCANNED
    if findings.problem:
        return f"Not scanned: {escape.inline(findings.problem)}"
    return paragraphs(
        table(("part", *Severity, "explained"), [_row(one) for one in findings.parts]),
        items([_severe(one) for one in _worst_first(findings)]),
        items([_left_out(words, parts) for words, parts in findings.left_out().items()]),
        f"Scanned {escape.code(findings.scanned_at)}. {_LEGEND}",
    )


def _row(found: PartFindings) -> tuple[str, ...]:
    if found.counts is None:
        return (f"{escape.inline(found.part)}: not scanned", *[figures.MISSING] * (len(Severity) + 1))
    counts = (*(found.counts.get(one, 0) for one in Severity), found.explained)
    return (escape.inline(found.part), *(f"{count:,}" for count in counts))


def _left_out(words: str, parts: Sequence[str]) -> str:
    return f"Left out of {' and '.join(map(escape.inline, parts))}: {escape.inline(words)}"


def _worst_first(findings: Findings) -> Sequence[Finding]:
    """A list shows its first lines: what one part is full of may not hide another's worst."""
    severe = (one for part in findings.parts for one in part.severe)
    return sorted(severe, key=lambda one: tuple(Severity).index(one.severity))


def _severe(finding: Finding) -> str:
    mark = "🔴" if finding.severity is SEVERE[0] else "🟠"
    words = f"{escape.code(finding.id)} in {escape.code(finding.where)}: {escape.inline(finding.title)}"
    return f"{mark} {finding.severity}: {words}"
