"""What a security scan found, by severity, and what it left out: advice in a report, no part of its verdict.

Leaves out the findings that are not severe, which stand in the scan's own files.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Severity(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    UNKNOWN = "unknown"


SEVERE: Final = (Severity.CRITICAL, Severity.HIGH)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """`where` is a file, of an image the image as well."""

    id: str
    severity: Severity
    where: str
    title: str


@dataclass(frozen=True, kw_only=True)
class PartFindings:
    """What was found in one part of what was scanned, but for what is explained.

    `counts` is None where the part was not scanned at all; a severity without findings is not in it.
    `explained` are those that a statement in the repository takes responsibility for, of any severity.
    `severe` are the first of severity high or critical.
    """

    part: str
    counts: Mapping[Severity, int] | None
    explained: int = 0
    severe: tuple[Finding, ...] = ()
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Findings:
    """`scanned_at` and `parts` are empty where a scan was made and cannot be read: `problem` says why."""

    scanned_at: str = ""  # ISO 8601, UTC
    parts: tuple[PartFindings, ...] = ()
    problem: str = ""

    def left_out(self) -> Mapping[str, Sequence[str]]:
        """Each thing that was not looked for, and in which parts."""
        parts: dict[str, list[str]] = {}
        for one in self.parts:
            for words in one.left_out:
                parts.setdefault(words, []).append(one.part)
        return parts
