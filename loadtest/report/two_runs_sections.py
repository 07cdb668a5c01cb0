"""What is said of two runs: the same words and figures on the page and in a terminal."""

from loadtest.report import escape, figures
from loadtest.report.layout import Section, items, paragraphs, table
from loadtest.report.model import Report
from loadtest.report.two_runs import Difference, TwoRuns
from loadtest.sample import Arm

HEADER = ("host", "percentile", "first ms", "second ms", "difference ms", "between", "within the runs")
_NO_VERDICT = (
    "Each is one run, and that is no verdict: the intervals (90 % at least) are of chance among the requests "
    "within a run. How much two runs of the very same thing differ they do not say; it takes several of each."
)


def headline(runs: TwoRuns) -> str:
    """One line of plain text."""
    if not runs.comparable:
        return "Two runs that are not to be compared"
    return "Two runs, side by side: no verdict"


def words(runs: TwoRuns) -> tuple[str, ...]:
    """What has to be known before any figure is looked at: plain text, a sentence each."""
    return tuple(map(escape.plain, (*_likeness(runs), *_doubts(runs), _NO_VERDICT)))


def rows(runs: TwoRuns) -> list[tuple[str, ...]]:
    """Plain text, by HEADER."""
    return [_row(one, one.told.value if runs.comparable else figures.NOT_SHOWN) for one in runs.differences]


def head(runs: TwoRuns) -> str:
    return paragraphs(f"## {headline(runs)}", "\n".join(f"- {escape.inline(one)}" for one in words(runs)))


def differences(runs: TwoRuns) -> Section:
    cells = [(escape.code(host), *others) for host, *others in rows(runs)]
    legend = "Latency in ms, of right answers; a difference above 0: the second run's is higher."
    return Section(title="Latency", body=paragraphs(table(HEADER, cells), legend) if cells else "")


def requests(runs: TwoRuns) -> Section:
    lines = [
        f"{name}: {report.summary.arm(Arm.HEAD).combined.requests:,} requests, "
        f"{_failed(report):,} of them failed, in {figures.seconds(report.summary.duration_s)}"
        for name, report in (("First", runs.first), ("Second", runs.second))
    ]
    return Section(title="Requests", body=items(lines))


def origins(runs: TwoRuns) -> Section:
    lines = [
        f"{name}: stack {escape.code(report.run.stack)}, {escape.code(report.run.created_at)}"
        + (f", commit {escape.code(report.run.commit)}" if report.run.commit else "")
        for name, report in (("First", runs.first), ("Second", runs.second))
    ]
    return Section(title="The runs", body=items(lines))


def _likeness(runs: TwoRuns) -> list[str]:
    if runs.comparable:
        return [f"The same machine, versions and plan: fingerprint {runs.first.fingerprint}."]
    return [
        f"Not to be compared: fingerprint {runs.first.fingerprint} and {runs.second.fingerprint}. "
        "A difference may come from what is unlike alone:",
        *(f"{one.fact}: {one.first} in the first, {one.second} in the second." for one in runs.unlike),
    ]


def _doubts(runs: TwoRuns) -> list[str]:
    named = (("first", runs.first), ("second", runs.second))
    return [
        f"The {name} run is in doubt by itself: {check.words}."
        for name, report in named
        for check in report.validity.doubts
    ]


def _failed(report: Report) -> int:
    requests = report.summary.arm(Arm.HEAD).combined
    return requests.requests - requests.succeeded


def _row(one: Difference, told: str) -> tuple[str, ...]:
    between = figures.NOT_SHOWN
    if one.interval:
        between = f"{figures.number(one.interval.low_ms)} and {figures.number(one.interval.high_ms)}"
    return (
        "all hosts" if one.host is None else escape.plain(one.host),
        one.figure,
        figures.number(one.first_ms),
        figures.number(one.second_ms),
        figures.number(one.difference_ms),
        between,
        told,
    )
