"""The shapes of a load: how many requests each plans."""

import pytest

from loadtest.plan import PROFILES, ClosedLoop, ConstantRate, Profile, RampingRate, Script, Stage, Users


def ramp(rate_rps: float, *stages: tuple[float, float]) -> RampingRate:
    parts = (Stage(rate_rps=rate, duration_s=duration) for rate, duration in stages)
    return RampingRate(rate_rps=rate_rps, stages=tuple(parts))


@pytest.mark.parametrize(
    ("profile", "planned"),
    [
        (ClosedLoop(requests=7, concurrency=20), 7),
        (ConstantRate(rate_rps=100, duration_s=30), 3_000),
        (ConstantRate(rate_rps=0.5, duration_s=3), 1),
        (ConstantRate(rate_rps=0.29, duration_s=100), 29),
        (ConstantRate(rate_rps=0, duration_s=30), 0),
        (ramp(0, (100, 10)), 500),
        (ramp(100, (100, 10)), 1_000),
        (ramp(0, (100, 10), (100, 5), (0, 2)), 1_100),
        (Users(users=100, spawn_rate_per_s=10, wait_min_s=0, wait_max_s=1, duration_s=30), None),
        (Script(script="mine.js"), None),
    ],
)
def test_a_profile_says_how_many_requests_it_plans(profile: Profile, planned: int | None) -> None:
    assert planned == profile.planned_requests


def test_a_ramp_lasts_as_long_as_its_stages() -> None:
    assert 12 == ramp(0, (100, 10), (0, 2)).duration_s


def test_every_profile_goes_by_the_name_that_stands_in_the_report() -> None:
    assert ["closed", "constant_rate", "ramping_rate", "users", "script"] == [*PROFILES]
