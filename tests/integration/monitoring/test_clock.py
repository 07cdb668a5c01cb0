"""Whether two clocks are one, asked of a loopback server that answers as Prometheus does."""

import pytest

from loadtest.monitoring.client import PrometheusClient
from loadtest.monitoring.clock import clock_problem
from tests.integration.loopback import loopback_server
from tests.integration.monitoring.prometheus_answers import clock


def problem(*, here_s: float, there_s: float, took_s: float = 0.0) -> str | None:
    """What is said where the question is asked at one time and answered at another."""
    moments = iter([here_s, here_s + took_s])
    with loopback_server(lambda asked: clock(there_s)) as server, PrometheusClient(server.url) as client:
        return clock_problem(client, lambda: next(moments))


@pytest.mark.parametrize("there_s", [999.6, 1000.0, 1000.4])
def test_clocks_that_may_be_the_same_are_no_problem(there_s: float) -> None:
    assert problem(here_s=1000.0, there_s=there_s) is None


def test_the_time_that_asking_takes_is_not_held_against_the_clock() -> None:
    assert problem(here_s=1000.0, there_s=1003.0, took_s=3.0) is None


@pytest.mark.parametrize(
    ("there_s", "words"), [(1007.5, "7.5 s ahead of this machine's"), (992.5, "7.5 s behind this machine's")]
)
def test_a_clock_that_differs_is_said_with_how_much(there_s: float, words: str) -> None:
    assert words in (problem(here_s=1000.0, there_s=there_s) or "")
