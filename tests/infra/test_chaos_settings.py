"""What is to go wrong is read from the configuration, and everything wrong with that is told at once."""

from typing import Any

import pytest

from infra.model import ChaosAction, ChaosSettings
from tests.infra.configuration import ci_config, ci_settings, problems

KILL = {"at_s": 5, "action": "kill", "target": "app/foo"}
FREEZE = {"at_s": 5, "action": "freeze", "target": "node/worker"}
DELAY = {"at_s": 5, "action": "delay", "target": "ingress", "delay_ms": 20}
EXISTING = {"cluster_provider": "existing", "cluster_context": "theirs", "namespace_prefix": "pr-1-"}

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no second": ({"action": "kill", "target": "ingress"}, "chaos[0] (kill): at_s is not set"),
    "a second before the load": ({**KILL, "at_s": -1}, "at_s is -1, it has to be a second of the load"),
    "an unknown action": ({**KILL, "action": "maim"}, 'action is "maim", it has to be one of kill, delete'),
    "an app that is not there": (
        {**KILL, "target": "app/fop"},
        'target is "app/fop", it has to be one of app/foo, app/bar, ingress, node/control-plane,',
    ),
    "a node too many": (
        {**FREEZE, "target": "node/worker3"},
        'target is "node/worker3", it has to be one of',
    ),
    "no duration at all": ({**FREEZE, "duration_s": 0}, "duration_s is 0, it has to be above 0"),
    "a duration of what is for good": (
        {**KILL, "duration_s": 3},
        "duration_s is set, a pod that is hit by kill does not come back at a set time",
    ),
    "a node deleted": ({**FREEZE, "action": "delete"}, "action is delete, of which pods alone can be the"),
    "a delay of nothing": ({**DELAY, "delay_ms": None}, "chaos[0] (delay): delay_ms is not set"),
    "a delay that is negative": ({**DELAY, "delay_ms": -1}, "delay_ms is -1, it has to be above 0"),
    "a kill with a delay": ({**KILL, "delay_ms": 1}, "delay_ms is set, it is of use with delay alone"),
    "a setting that is none": (
        {**KILL, "duration": 1},
        "duration is not a setting: did you mean duration_s?",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_event_is_the_one_problem_and_is_named(name: str) -> None:
    event, expected = WRONG[name]
    [problem] = problems(ci_config(chaos=[event]))
    assert expected in problem


def test_every_problem_of_every_event_is_told_at_once() -> None:
    found = problems(ci_config(chaos=[{**KILL, "at_s": -1, "target": "app/fop"}, {**DELAY, "delay_ms": 0}]))
    assert ["chaos[0]", "chaos[0]", "chaos[1]"] == [problem.partition(" ")[0] for problem in found]


def test_events_are_read_as_they_stand_there() -> None:
    events = [
        KILL,
        {**FREEZE, "duration_s": 2.5},
        DELAY,
        {**KILL, "target": "node/control-plane", "duration_s": 9},
    ]
    assert (
        ChaosSettings(at_s=5, action=ChaosAction.KILL, target="app/foo", duration_s=None, delay_ms=None),
        ChaosSettings(at_s=5, action=ChaosAction.FREEZE, target="node/worker", duration_s=2.5, delay_ms=None),
        ChaosSettings(at_s=5, action=ChaosAction.DELAY, target="ingress", duration_s=None, delay_ms=20),
        ChaosSettings(
            at_s=5, action=ChaosAction.KILL, target="node/control-plane", duration_s=9, delay_ms=None
        ),
    ) == ci_settings(chaos=events).chaos


def test_of_an_existing_cluster_only_a_pod_can_be_deleted() -> None:
    delete = {**KILL, "action": "delete"}
    assert () == problems(ci_config(**EXISTING, chaos=[delete]))
    [refused] = problems(ci_config(**EXISTING, chaos=[KILL]))
    assert "chaos[0] (kill): action is kill, which takes the nodes' own shells" in refused
    [no_node] = problems(ci_config(**EXISTING, chaos=[{**delete, "target": "node/worker"}]))
    assert 'target is "node/worker", it has to be one of app/foo, app/bar, ingress' in no_node
