"""A load in words: each shape says what a reader has to know of it."""

import pytest

from loadtest.plan import Arrivals, ClosedLoop, ConstantRate, Profile, RampingRate, Script, Stage, Users
from loadtest.report.load_words import load_words

RAMP = (Stage(rate_rps=1_000, duration_s=10), Stage(rate_rps=0, duration_s=5))


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        (ClosedLoop(requests=200, concurrency=1_000), "concurrency 1,000"),
        (ConstantRate(rate_rps=1_000, duration_s=30), "1,000 requests/s for 30.0 s"),
        (
            RampingRate(rate_rps=0, stages=RAMP),
            "from 0 requests/s to 1,000 within 10.0 s, then 0 within 5.00 s",
        ),
        (
            RampingRate(rate_rps=10, stages=(Stage(rate_rps=50, duration_s=0), *RAMP)),
            "from 10 requests/s to 50 at once, then 1,000 within 10.0 s, then 0 within 5.00 s",
        ),
        (
            ConstantRate(rate_rps=1_000, duration_s=30, arrivals=Arrivals.POISSON),
            "1,000 requests/s for 30.0 s, arriving by chance",
        ),
        (
            Users(users=100, spawn_rate_per_s=10, wait_min_s=0, wait_max_s=1, duration_s=30),
            "up to 100 users, 10 more a second, each waiting 0 to 1 s, for 30.0 s",
        ),
        (Script(script="a`b\n.js"), "as the script <code>a&#96;b .js</code> has it"),
    ],
)
def test_a_load_is_put_in_words(profile: Profile, words: str) -> None:
    assert words == load_words(profile)
