"""The end of a run, as a terminal shows it."""

from loadtest.report import terminal
from tests.unit.report import values


def test_each_host_has_a_row_under_that_of_all() -> None:
    assert terminal.by_host(values.report(values.MISSED_SUMMARY)).splitlines() == [
        "host           requests  failed  req/s  p50 ms  p90 ms  p95 ms  p99 ms  max ms",
        "all hosts           200       4    800    3.70    7.25    9.50       –     123",  # noqa: RUF001
        "foo.localhost       100       4    400    3.70    7.25    9.50       –     123",  # noqa: RUF001
        "bar.localhost       100       0    400    3.70    7.25    9.50       –     123",  # noqa: RUF001
    ]


def test_a_run_that_is_not_good_says_why_where_it_ends() -> None:
    told = terminal.ending(values.report(values.MISSED_SUMMARY)).splitlines()
    assert told[:3] == [
        "❌ Objective missed: 98 % success, p95 9.50 ms, 800 req/s",
        "- success_ratio is 0.98, it has to be at least 1",
        "",
    ]
    assert told[3].startswith("host ")


def test_a_host_that_answered_nothing_has_no_latency() -> None:
    nothing = values.requests(10, http_errors=10)
    last = terminal.by_host(values.report(values.summary(nothing, foo=nothing))).splitlines()[-1]
    assert last.split() == ["foo.localhost", "10", "10", "40.0", *["\N{EN DASH}"] * 5]
