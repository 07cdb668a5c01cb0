"""What a security scan found, counted by severity, and what it left out: advice beside a report.

Leaves out the findings themselves, which stand in SARIF files.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class PartFindings:
    """`counts` is None where the part was not scanned at all; a severity without findings is not in it."""

    part: str
    counts: Mapping[Severity, int] | None
    left_out: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Findings:
    scanned_at: str  # ISO 8601, UTC
    parts: tuple[PartFindings, ...]
