"""The load plan: every problem is told at once, and flags replace only what they name."""

import pytest

from loadtest.errors import UsageError
from loadtest.plan import LoadPlan


def test_flags_replace_only_what_they_name() -> None:
    plan = LoadPlan(requests=50, concurrency=5).overridden(requests=70, concurrency=None, seed=9)
    assert plan == LoadPlan(requests=70, concurrency=5, seed=9)


def test_every_problem_is_told_at_once_with_its_value() -> None:
    plan = LoadPlan(requests=0, concurrency=-1, timeout_s=0, warm_up_retries=-2)
    assert plan.problems() == [
        "requests is 0, it has to be at least 1",
        "concurrency is -1, it has to be between 1 and 10000",
        "timeout_s is 0, it has to be above 0 and at most 600",
        "warm_up_retries is -2, it has to be at least 0",
    ]


@pytest.mark.parametrize("timeout_s", [float("nan"), float("inf"), -1.0, 601.0])
def test_a_time_out_that_is_no_time_is_refused(timeout_s: float) -> None:
    with pytest.raises(UsageError, match="timeout_s is"):
        LoadPlan().overridden(timeout_s=timeout_s)


def test_the_defaults_can_be_carried_out() -> None:
    assert LoadPlan().problems() == []
