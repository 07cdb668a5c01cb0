"""The formats against golden files: what a reader sees changes only on purpose.

The page has tests of its own (test_page): its text is mostly shapes.
`python -m tests.unit.report.test_formats` writes the golden files anew; the diff is then to be read.
"""

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from loadtest.load_options import LoadOptions
from loadtest.report import FORMATS
from loadtest.report.model import AnyReport
from loadtest.slo import Objective
from tests.unit.report import values

GOLDEN = Path(__file__).parent / "golden"
REPORTS: dict[str, AnyReport] = {
    "passed": values.report(resources=values.WIDE_RESOURCES),
    "missed": values.report(
        values.MISSED_SUMMARY,
        resources=None,
    ),
    "nothing_answered": values.report(
        values.summary(values.requests(200, timeouts=200), foo=values.requests(200, timeouts=200))
    ),
    "enough_for_p99": values.report(
        values.summary(values.requests(12_000, p99_ms=88.8), foo=values.requests(12_000, p99_ms=88.8))
    ),
    "open_loop": values.open_loop(),
    "troubled": values.report(resources=values.TROUBLED_RESOURCES),
    "autoscaled": values.report(
        resources=values.AUTOSCALED_RESOURCES, apps=(*values.AUTOSCALED_APPS, values.app("bar"))
    ),
    "warned": values.report(
        objectives=(
            *values.OBJECTIVES,
            Objective(metric="latency_p95_ms", host="foo.localhost", warn_limit=5, fail_limit=50),
            Objective(metric="memory_maximum_bytes", scope="ingress", warn_limit=20_000_000),
        ),
    ),
    # An open loop whose generator was busy with itself, so that its one missed limit proves nothing.
    "doubtful": values.report(
        values.summary(values.requests(400), foo=values.requests(400)),
        objectives=(Objective(metric="latency_p95_ms", fail_limit=9),),
        options=LoadOptions(profile="constant_rate", rate_rps=2_000, duration_s=0.2),
        generator=replace(values.GENERATOR, cpu_s=0.24, tells_intended_start=False),
    ),
    "disturbed": values.report(chaos=values.CHAOS),
    "scanned": msgspec.structs.replace(values.report(), security=values.SCAN),
    "failed": values.failure(),
    "cut_short": values.cut_short(),
}
SUFFIXES = {"json": "json", "markdown": "md", "comment": "comment.md"}
CASES = [(name, format_) for name in REPORTS for format_ in SUFFIXES]


def golden_file(name: str, format_: str) -> Path:
    return GOLDEN / f"{name}.{SUFFIXES[format_]}"


@pytest.mark.parametrize(("name", "format_"), CASES)
def test_each_format_says_what_its_golden_file_says(name: str, format_: str) -> None:
    expected = golden_file(name, format_).read_text()
    assert expected == FORMATS[format_](REPORTS[name])


def test_there_is_no_golden_file_without_a_case() -> None:
    expected = {golden_file(name, format_) for name, format_ in CASES}
    assert expected == set(GOLDEN.iterdir())


if __name__ == "__main__":
    for one_name, one_format in CASES:
        golden_file(one_name, one_format).write_text(FORMATS[one_format](REPORTS[one_name]))
