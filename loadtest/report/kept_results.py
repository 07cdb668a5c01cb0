"""What the comment keeps of a run, in a line that is not shown, so that the next run can be held against it.

Whoever may edit the comment may edit that line: it is read back as outside text, by its schema and within
bounds, and what does not fit is left out with a word. Leaves out how it is shown.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec

from loadtest.report import failure, sections
from loadtest.report.model import AnyReport, FailureReport, Report, RunIdentity
from loadtest.sample import Arm
from loadtest.stats.summary import Interval, RequestSummary

VERSION = 1  # goes up when the meaning of a field changes: older lines are then left out
KEPT = 10
LIMIT_BYTES = 16_384
ALL_HOSTS = ""
_MOST_HOSTS = 20
_HOST_LIMIT_CHARS = 100
_WORDS_LIMIT_CHARS = 200
_DIGITS = 6
_MOST = 10**12
_LINE = re.compile(r"<!-- loadproof-results:(\d{1,9}) ([A-Za-z0-9+/=]*) -->")

_Figure = Annotated[float, msgspec.Meta(ge=0, le=_MOST)]
_Count = Annotated[int, msgspec.Meta(ge=0, le=_MOST)]
_Words = Annotated[str, msgspec.Meta(max_length=_WORDS_LIMIT_CHARS)]


class Percentile(msgspec.Struct, frozen=True, array_like=True):
    """`low_ms` and `high_ms` are its interval, None where there were too few samples for one."""

    value_ms: _Figure
    low_ms: _Figure | None
    high_ms: _Figure | None


class HostResult(msgspec.Struct, frozen=True, array_like=True):
    """`host` is ALL_HOSTS for all of them together; percentiles are None where nothing answered rightly."""

    host: Annotated[str, msgspec.Meta(max_length=_HOST_LIMIT_CHARS)]
    requests: _Count
    failed: _Count
    achieved_rps: _Figure
    p50: Percentile | None
    p95: Percentile | None


class Result(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A run that measured nothing has no fingerprint and no hosts."""

    created_at: _Words
    headline: _Words
    commit: _Words | None = None
    run_url: _Words | None = None
    fingerprint: _Words | None = None
    disturbed: bool = False
    hosts: Annotated[tuple[HostResult, ...], msgspec.Meta(max_length=_MOST_HOSTS)] = ()


_Results = Annotated[tuple[Result, ...], msgspec.Meta(max_length=KEPT + 1)]


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """The newest first; `problem` says why there are none where some were kept."""

    results: tuple[Result, ...] = ()
    problem: str = ""


def result_of(report: AnyReport) -> Result:
    match report:
        case Report():
            measured = _result(report.run, sections.headline(report))
            mark = _fitting(report.fingerprint)
            return msgspec.structs.replace(
                measured, fingerprint=mark, disturbed=report.validity.disturbed, hosts=_hosts(report)
            )
        case FailureReport():
            return _result(report.run, failure.headline(report))


def earlier_in(comment: str, now: Result) -> Earlier:
    """What an earlier comment kept; a run that is posted once more is not earlier than itself."""
    found = _LINE.findall(comment)
    if not found:
        return Earlier()
    version, content = found[-1]
    if int(version) != VERSION:
        return Earlier(problem=f"earlier results are of version {version} of this comment's data")
    if len(content) > LIMIT_BYTES:
        return Earlier(problem="earlier results are longer than this comment ever keeps")
    try:
        results = msgspec.json.decode(base64.b64decode(content, validate=True), type=_Results)
    except (binascii.Error, msgspec.DecodeError, UnicodeDecodeError):
        return Earlier(problem="earlier results are damaged: somebody may have edited this comment")
    others = (one for one in results if (one.created_at, one.commit) != (now.created_at, now.commit))
    return Earlier(results=tuple(others)[:KEPT])


def hidden_line(results: Sequence[Result]) -> str:
    """Of the newest that fit."""
    fitting = list(results[: KEPT + 1])
    while len(line := _line(fitting)) > LIMIT_BYTES:
        fitting.pop()
    return line


def _line(results: Sequence[Result]) -> str:
    # Base64 has no "-" and no ">", so nothing in it ends the comment that hides it.
    return f"<!-- loadproof-results:{VERSION} {base64.b64encode(msgspec.json.encode(results)).decode()} -->"


def _result(run: RunIdentity, headline: str) -> Result:
    return Result(
        created_at=run.created_at[:_WORDS_LIMIT_CHARS],
        headline=headline[:_WORDS_LIMIT_CHARS],
        commit=_fitting(run.commit),
        run_url=_fitting(run.run_url),
    )


def _hosts(report: Report) -> tuple[HostResult, ...]:
    tested = report.summary.arm(Arm.HEAD)
    named = [(host, one) for host, one in tested.hosts.items() if len(host) <= _HOST_LIMIT_CHARS]
    return tuple(_host(*one) for one in [(ALL_HOSTS, tested.combined), *named][:_MOST_HOSTS])


def _host(name: str, requests: RequestSummary) -> HostResult:
    latency = requests.latency
    return HostResult(
        host=name,
        requests=_bounded(requests.requests),
        failed=_bounded(requests.requests - requests.succeeded),
        achieved_rps=_rounded(requests.achieved_rps),
        p50=_percentile(latency.p50_ms, latency.p50_interval) if latency else None,
        p95=_percentile(latency.p95_ms, latency.p95_interval) if latency else None,
    )


def _percentile(value_ms: float, interval: Interval | None) -> Percentile:
    return Percentile(
        value_ms=_rounded(value_ms),
        low_ms=_rounded(interval.low_ms) if interval else None,
        high_ms=_rounded(interval.high_ms) if interval else None,
    )


def _rounded(value: float) -> float:
    return float(f"{min(max(value, 0.0), _MOST):.{_DIGITS}g}")


def _bounded(count: int) -> int:
    """A report from outside may count in any way."""
    return min(max(count, 0), _MOST)


def _fitting(text: str | None) -> str | None:
    """An address or a name that was cut off would be another one."""
    return text if text and len(text) <= _WORDS_LIMIT_CHARS else None
