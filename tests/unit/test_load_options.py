"""A load's settings: flags replace what they name, and every problem is told at once."""

from typing import Any

import pytest

from loadtest.errors import UsageError
from loadtest.load_options import LoadOptions
from loadtest.plan import Arrivals, ClosedLoop, ConstantRate, LoadPlan, RampingRate, Script, Stage, Users

STAGES = (Stage(rate_rps=50, duration_s=2),)


def plan(options: LoadOptions | None = None, **flags: Any) -> LoadPlan:
    return (options or LoadOptions()).plan(flags)


def problem(options: LoadOptions | None = None, **flags: Any) -> str:
    with pytest.raises(UsageError) as told:
        plan(options, **flags)
    return told.value.message


def test_the_defaults_are_the_first_systems_load() -> None:
    expected = ClosedLoop(requests=200, concurrency=20)
    assert expected == plan().profile
    assert ("builtin", 10.0, 2, 1) == (
        plan().engine,
        plan().timeout_s,
        plan().warm_up_retries,
        plan().seed,
    )


def test_flags_replace_only_what_they_name() -> None:
    made = plan(LoadOptions(requests=50, concurrency=5), requests=70, concurrency=None, seed=9)
    assert ClosedLoop(requests=70, concurrency=5) == made.profile
    assert 9 == made.seed


@pytest.mark.parametrize(
    ("flags", "profile"),
    [
        ({"profile": "constant_rate", "rate_rps": 5.0}, ConstantRate(rate_rps=5, duration_s=30)),
        (
            {"profile": "constant_rate", "arrivals": Arrivals.POISSON, "max_connections": 9},
            ConstantRate(rate_rps=100, duration_s=30, arrivals=Arrivals.POISSON, max_connections=9),
        ),
        ({"profile": "ramping_rate", "stages": STAGES}, RampingRate(rate_rps=100, stages=STAGES)),
        (
            {"profile": "users"},
            Users(users=100, spawn_rate_per_s=10, wait_min_s=0, wait_max_s=1, duration_s=30),
        ),
        ({"profile": "script", "script": "a.js"}, Script(script="a.js")),
        ({"profile": "script", "script": "a.js", "users": 100}, Script(script="a.js", users=100)),
    ],
)
def test_a_profile_takes_its_own_settings(flags: dict[str, Any], profile: object) -> None:
    assert profile == plan(**flags).profile


def test_a_script_goes_by_what_the_stack_says_of_users() -> None:
    stack = LoadOptions(profile="script", script="a.py", users=7, spawn_rate_per_s=2)
    assert Script(script="a.py", users=7, spawn_rate_per_s=2) == plan(stack).profile


@pytest.mark.parametrize(("stack", "flags"), [({}, {"users": 5}), ({"users": 5}, {})])
def test_users_that_k6_would_pass_over_are_refused(stack: dict[str, Any], flags: dict[str, Any]) -> None:
    options = LoadOptions(engine="k6", profile="script", script="a.js", **stack)
    assert "users: k6 hears of a script's users together with duration_s alone" in problem(options, **flags)
    assert Script(script="a.js", users=5, duration_s=30) == plan(options, duration_s=30.0, **flags).profile


def test_every_problem_is_told_at_once_with_its_value() -> None:
    told = problem(LoadOptions(requests=0, concurrency=-1, timeout_s=0, warm_up_retries=-2))
    assert (
        "the load cannot be carried out: "
        + "; ".join(
            (
                "requests is 0, it has to be between 1 and 20000000",
                "concurrency is -1, it has to be between 1 and 10000",
                "timeout_s is 0, it has to be above 0 and at most 600",
                "warm_up_retries is -2, it has to be at least 0",
            )
        )
        == told
    )


@pytest.mark.parametrize("timeout_s", [float("nan"), float("inf"), -1.0, 601.0])
def test_a_time_out_that_is_no_time_is_refused(timeout_s: float) -> None:
    assert "timeout_s is" in problem(timeout_s=timeout_s)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"profile": "closd"}, "profile 'closd' is unknown, choose from: closed, constant_rate"),
        ({"profile": "ramping_rate"}, "stages is empty, it has to be one RATE:SECONDS or more"),
        (
            {"profile": "ramping_rate", "stages": (Stage(rate_rps=-1, duration_s=0),)},
            "stages is -1:0, it has to",
        ),
        (
            {"profile": "ramping_rate", "stages": (Stage(rate_rps=2e6, duration_s=1),)},
            "rates between 0 and 1000000 and seconds between 0 and 86400",
        ),
        (
            {"engine": "k6", "profile": "script", "script": "mine.js", "spawn_rate_per_s": 5.0},
            "spawn_rate_per_s: k6 has no such setting",
        ),
        ({"profile": "constant_rate", "rate_rps": 0.0}, "it has not one request"),
        ({"profile": "script"}, "script is '', it has to be the path of a script"),
        ({"profile": "users", "wait_min_s": 2.0}, "wait_max_s is 1, it may not be below wait_min_s, 2"),
        (
            {"profile": "constant_rate", "max_connections": 3, "worker_processes": 4},
            "max_connections is 3, each of 4 worker_processes needs one",
        ),
        ({"worker_processes": 2}, "worker_processes is for the engine builtin with constant_rate or"),
        (
            {"engine": "k6", "profile": "constant_rate", "worker_processes": 2},
            "not for k6 with constant_rate",
        ),
        (
            {"engine": "k6", "profile": "constant_rate", "arrivals": Arrivals.POISSON},
            "arrivals is poisson, the engine k6 has even ones only",
        ),
        ({"arrivals": Arrivals.POISSON}, "arrivals: not used by the profile closed"),
        ({"profile": "constant_rate", "max_connections": -1}, "max_connections is -1, it has to be between"),
        ({"locust_workers": 2}, "locust_workers and locust_web_port are for the engine locust, not"),
        (
            {"engine": "locust", "profile": "users", "locust_workers": 2, "locust_web_port": 8089},
            "locust_web_port is for a locust on this machine",
        ),
    ],
)
def test_what_makes_no_load_is_refused(flags: dict[str, Any], words: str) -> None:
    assert words in problem(**flags)


def test_a_flag_that_the_profile_does_not_use_is_a_problem_even_where_it_is_the_default() -> None:
    told = problem(rate_rps=100.0, users=100)
    assert "rate_rps, users: not used by the profile closed, which goes by requests, concurrency" in told


def test_a_setting_that_the_stacks_own_profile_does_not_use_is_a_problem() -> None:
    assert "users: not used by the profile closed" in problem(LoadOptions(users=7))


def test_what_the_stack_says_for_its_own_profile_does_not_disturb_another_one() -> None:
    stack = LoadOptions(engine="locust", profile="users", users=7, duration_s=9)
    assert ClosedLoop(requests=200, concurrency=20) == plan(stack, profile="closed").profile
