"""Events that a load is too short for are told before it is sent."""

import pytest

from loadtest.chaos.model import Action, ChaosEvent
from loadtest.chaos.planned import check_fits
from loadtest.errors import UsageError
from loadtest.load_options import LoadOptions
from loadtest.plan import Profile, Stage

KILL = ChaosEvent(at_s=5.0, action=Action.KILL, target="app/foo")
FREEZE = ChaosEvent(at_s=2.0, action=Action.FREEZE, target="node/worker", duration_s=4.0)


def profile(**options: object) -> Profile:
    return LoadOptions(**options).plan().profile  # type: ignore[arg-type]


def test_every_event_that_comes_too_late_or_lasts_too_long_is_told() -> None:
    with pytest.raises(UsageError) as told:
        check_fits((KILL, FREEZE), profile(engine="k6", profile="constant_rate", duration_s=5.0))
    assert (
        "the chaos does not fit the load: kill app/foo comes at 5 s, the load ends at 5 s; "
        "freeze node/worker is not over before 6 s, the load ends at 5 s"
    ) == told.value.message


@pytest.mark.parametrize(
    "options",
    [
        {"engine": "k6", "profile": "constant_rate", "duration_s": 6.5},
        {
            "engine": "k6",
            "profile": "ramping_rate",
            "stages": (Stage(rate_rps=5, duration_s=4), Stage(rate_rps=1, duration_s=3)),
        },
        {"engine": "locust", "profile": "users", "duration_s": 7.0},
        {"profile": "closed"},
        {"engine": "k6", "profile": "script", "script": "any.js"},
    ],
    ids=lambda options: options["profile"],
)
def test_events_within_the_load_fit_and_where_no_length_is_known_all_do(options: dict[str, object]) -> None:
    check_fits((KILL, FREEZE), profile(**options))
