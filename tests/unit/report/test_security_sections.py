"""What a report shows first of a scan that found much."""

import msgspec

from loadtest.report import security_sections
from loadtest.security import Finding, Findings, PartFindings, Severity
from tests.unit.report import values


def found(part: str, severity: Severity, count: int) -> PartFindings:
    severe = (
        Finding(id=f"{part}-{number}", severity=severity, where="x", title="y") for number in range(count)
    )
    return PartFindings(part=part, counts={severity: count}, severe=tuple(severe))


def test_what_one_part_is_full_of_hides_no_other_parts_worst() -> None:
    findings = Findings(parts=(found("repository", Severity.HIGH, 20), found("images", Severity.CRITICAL, 1)))
    report = msgspec.structs.replace(values.report(), security=findings)
    lines = security_sections.security(report).body.splitlines()
    first, second, *_ = [line for line in lines if line.startswith("- ")]
    assert "critical: `images-0`" in first
    assert "high: `repository-0`" in second
