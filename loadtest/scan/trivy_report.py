"""What Trivy says in its JSON: what it found, and which of that is explained. Pure."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import msgspec

from loadtest.errors import MachineError
from loadtest.security import Finding, Severity

_LIMIT_CHARS = 300
_PASSED = "PASS"
"""Of a check that found nothing wrong: an explanation takes that out of a report as well."""


class _Found(msgspec.Struct, rename="pascal"):
    """A misconfiguration, a vulnerability or a secret: each has another name for its id."""

    severity: str = "UNKNOWN"
    title: str = ""
    i_d: str = msgspec.field(default="", name="ID")
    vulnerability_id: str = msgspec.field(default="", name="VulnerabilityID")
    rule_id: str = msgspec.field(default="", name="RuleID")
    pkg_name: str = ""


class _Taken(msgspec.Struct, frozen=True, rename="pascal"):
    status: str = ""


class _Modified(msgspec.Struct, rename="pascal"):
    statement: str = ""
    finding: _Taken = _Taken()


class _Result(msgspec.Struct, rename="pascal"):
    target: str = ""
    misconfigurations: tuple[_Found, ...] = ()
    vulnerabilities: tuple[_Found, ...] = ()
    secrets: tuple[_Found, ...] = ()
    experimental_modified_findings: tuple[_Modified, ...] = ()


class _Report(msgspec.Struct, rename="pascal"):
    results: tuple[_Result, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What one look at something saw; `explained` are the statements that took findings out."""

    findings: tuple[Finding, ...]
    explained: tuple[str, ...]
    sarif: dict[str, Any]


def read(text: str, sarif: dict[str, Any], *, of: str = "") -> Seen:
    """`of` says whose files these are, where their names alone do not."""
    try:
        results = msgspec.json.decode(text, type=_Report).results
    except msgspec.DecodeError as error:
        raise MachineError(f"Trivy printed no report that can be read: {error}") from error
    findings = tuple(
        _finding(one, f"{of}{result.target}")
        for result in results
        for one in (*result.misconfigurations, *result.vulnerabilities, *result.secrets)
    )
    explained = tuple(
        one.statement
        for result in results
        for one in result.experimental_modified_findings
        if one.finding.status != _PASSED
    )
    return Seen(findings=findings, explained=explained, sarif=sarif)


def by_severity(findings: tuple[Finding, ...]) -> dict[Severity, int]:
    counts = Counter(one.severity for one in findings)
    return {severity: counts[severity] for severity in Severity if counts[severity]}


def _finding(found: _Found, where: str) -> Finding:
    severity = next((one for one in Severity if one == found.severity.lower()), Severity.UNKNOWN)
    title = f"{found.pkg_name}: {found.title}" if found.pkg_name else found.title
    return Finding(
        id=(found.i_d or found.vulnerability_id or found.rule_id)[:_LIMIT_CHARS],
        severity=severity,
        where=where[:_LIMIT_CHARS],
        title=title[:_LIMIT_CHARS],
    )
