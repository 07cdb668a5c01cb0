"""A plan in k6's terms: how many clients, which executor, and no request more or less than planned."""

from typing import Any

import pytest

from loadtest.engines.connections import Connections
from loadtest.engines.exchange import Request
from loadtest.engines.k6.job import WARM_UP_SCENARIO, clients_of, load_of
from loadtest.load_options import LoadOptions
from loadtest.plan import LoadPlan, Stage

FOO = Request(host="foo.localhost", path="/a", expected_body="é".encode(), head=b"")
BAR = Request(host="bar.localhost", path="/", expected_body=b"bar", head=b"")


def plan(**options: Any) -> LoadPlan:
    return LoadOptions(engine="k6", **options).plan()


def load(made: LoadPlan) -> dict[str, Any]:
    return load_of(made, [FOO, BAR], "127.0.0.1:8080")


@pytest.mark.parametrize(
    ("made", "clients"),
    [
        (plan(requests=200, concurrency=20), Connections(ready=20, most=20)),
        (plan(requests=5, concurrency=20), Connections(ready=5, most=5)),
        (plan(profile="constant_rate", rate_rps=10), Connections(ready=10, most=20)),
        (plan(profile="constant_rate", rate_rps=1_000), Connections(ready=100, most=2_000)),
        (plan(profile="constant_rate", rate_rps=1_000, timeout_s=0.5), Connections(ready=100, most=500)),
        (plan(profile="constant_rate", rate_rps=100_000), Connections(ready=2_000, most=2_000)),
        (
            plan(profile="constant_rate", rate_rps=1_000, max_connections=7),
            Connections(ready=7, most=7),
        ),
        (
            plan(profile="constant_rate", rate_rps=1_000, max_connections=5_000),
            Connections(ready=100, most=5_000),
        ),
        (
            plan(profile="ramping_rate", rate_rps=0, stages=(Stage(rate_rps=500, duration_s=1),)),
            Connections(ready=50, most=1_000),
        ),
    ],
)
def test_there_are_clients_for_answers_that_come_late_up_to_a_limit(
    made: LoadPlan, clients: Connections
) -> None:
    assert clients == clients_of(made)


def test_every_ready_client_warms_up_and_the_load_begins_after_that() -> None:
    scenarios = load(plan(requests=200, concurrency=20))["scenarios"]
    warm_up = scenarios[WARM_UP_SCENARIO]
    assert ("per-vu-iterations", 20, 1) == (warm_up["executor"], warm_up["vus"], warm_up["iterations"])
    assert int(warm_up["maxDuration"][:-2]) < int(scenarios["load"]["startTime"][:-2])


def test_a_closed_loop_shares_its_requests_among_its_clients() -> None:
    scenario = load(plan(requests=200, concurrency=20))["scenarios"]["load"]
    assert ("shared-iterations", 20, 200) == (scenario["executor"], scenario["vus"], scenario["iterations"])


def iterations(scenario: dict[str, Any]) -> float:
    """How many k6 starts: the area under its ramp, of which it takes the whole part."""
    unit_s = int(scenario["timeUnit"][:-2]) / 1e9
    total, before = 0.0, scenario["startRate"] / unit_s
    for stage in scenario["stages"]:
        after = stage["target"] / unit_s
        total += (before + after) / 2 * int(stage["duration"][:-2]) / 1e9
        before = after
    return total


@pytest.mark.parametrize(
    "made",
    [
        plan(profile="constant_rate", rate_rps=100, duration_s=30),
        plan(profile="constant_rate", rate_rps=0.3, duration_s=10),
        plan(profile="constant_rate", rate_rps=1_234.567, duration_s=1_000),
        plan(profile="constant_rate", rate_rps=33.333_7, duration_s=10_000),
        plan(profile="constant_rate", rate_rps=0.000_05, duration_s=80_000),
        plan(
            profile="ramping_rate",
            rate_rps=0,
            stages=(Stage(rate_rps=100, duration_s=10), Stage(rate_rps=0, duration_s=2.5)),
        ),
    ],
)
def test_a_rate_starts_as_many_requests_as_are_planned(made: LoadPlan) -> None:
    scenario = load(made)["scenarios"]["load"]
    assert "ramping-arrival-rate" == scenario["executor"]
    assert made.profile.planned_requests == int(iterations(scenario))
    assert iterations(scenario) % 1 < 0.02, "nothing but the allowance for rounding is left over"


def test_hosts_are_as_even_and_as_shuffled_as_with_every_engine() -> None:
    order = load(plan(requests=100, concurrency=1))["order"]
    assert (50, 50) == (order.count(0), order.count(1))
    assert order == load(plan(requests=100, concurrency=1))["order"]
    assert order != load(plan(requests=100, concurrency=1, seed=2))["order"]


def test_the_order_of_a_long_load_repeats_and_stays_even() -> None:
    third = Request(host="baz.localhost", path="/", expected_body=b"", head=b"")
    order = load_of(plan(requests=50_000), [FOO, BAR, third], "a:1")["order"]
    assert [3_333] * 3 == [order.count(number) for number in (0, 1, 2)]


def test_a_request_names_its_host_and_its_body_byte_by_byte() -> None:
    foo, _ = load(plan())["requests"]
    assert {"host": "foo.localhost", "url": "http://127.0.0.1:8080/a", "body": "Ã©"} == foo
