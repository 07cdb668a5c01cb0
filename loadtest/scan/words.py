"""What a person is told of a scan, line by line: names and titles come from whatever was scanned."""

from collections.abc import Iterator

from loadtest.report import escape
from loadtest.scan.explanations import FILE
from loadtest.scan.scanning import Scanned
from loadtest.security import Finding, PartFindings


def lines(scanned: Scanned) -> Iterator[str]:
    for part in scanned.findings.parts:
        yield f"{part.part}: {_counts(part)}"
        yield from map(_severe, part.severe)
    for words, parts in scanned.findings.left_out().items():
        yield f"left out of {' and '.join(parts)}: {escape.plain(words)}"
    for stale in scanned.stale:
        name, path = escape.plain(stale.id), escape.plain(stale.path)
        yield f"{FILE}: {name} is not found in {path} any more: take it out"


def _severe(found: Finding) -> str:
    name, where, title = map(escape.plain, (found.id, found.where, found.title))
    return f"  {found.severity}: {name} in {where}: {title}"


def _counts(part: PartFindings) -> str:
    if part.counts is None:
        return "not scanned"
    counts = part.counts
    found = ", ".join(f"{counts[one]:,} {one}" for one in counts) or "nothing found"
    return f"{found}{f', {part.explained:,} explained' if part.explained else ''}"
