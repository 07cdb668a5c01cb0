"""What a person is told of a scan, line by line."""

from collections.abc import Iterator

from loadtest.scan.explanations import FILE
from loadtest.scan.scanning import Scanned
from loadtest.security import PartFindings


def lines(scanned: Scanned) -> Iterator[str]:
    """What a person is told."""
    for part in scanned.findings.parts:
        yield f"{part.part}: {_counts(part)}"
        yield from (f"  {one.severity}: {one.id} in {one.where}: {one.title}" for one in part.severe)
    for words, parts in scanned.findings.left_out().items():
        yield f"left out of {' and '.join(parts)}: {words}"
    for one in scanned.stale:
        yield f"{FILE}: {one.id} is not found in {one.path} any more: take it out"


def _counts(part: PartFindings) -> str:
    if part.counts is None:
        return "not scanned"
    counts = part.counts
    found = ", ".join(f"{counts[one]:,} {one}" for one in counts) or "nothing found"
    return f"{found}{f', {part.explained:,} explained' if part.explained else ''}"
