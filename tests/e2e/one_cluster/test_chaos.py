"""Pods and a node of a real cluster are hit while the load goes on, and the report says what clients saw."""

import statistics
from typing import Any

import pytest

from loadtest import sample_store
from loadtest.artifacts import Artifacts
from loadtest.chaos.effects import by_host
from tests.e2e.one_cluster.conftest import PutUp, after_a_run, echo_app
from tests.e2e.workspace import Workspace

pytestmark = pytest.mark.cluster

FREEZE_S = 1.5
DELAY_S = 1.5
DELAY_MS = 60.0
EVENTS = [
    {"at_s": 2, "action": "kill", "target": "app/foo"},
    {"at_s": 5, "action": "kill", "target": "app/bar"},
    {"at_s": 15, "action": "freeze", "target": "node/worker", "duration_s": FREEZE_S},
    {"at_s": 18, "action": "delay", "target": "ingress", "duration_s": DELAY_S, "delay_ms": DELAY_MS},
    {"at_s": 21.5, "action": "delay", "target": "node/worker", "duration_s": DELAY_S, "delay_ms": DELAY_MS},
]
# So few that hardly two come at once, but for a busy moment of the machine: an ingress that forgets who
# refused may else ask a dead pod thrice.
LOAD = {"load_profile": "constant_rate", "load_rate_rps": 40, "load_duration_s": 25}
# The tests look at clients.
SLO = [{"metric": "success_ratio", "fail_below": 0.5}]


@pytest.fixture(scope="module")
def loaded(put_up: PutUp) -> Workspace:
    """After one run, which every test here looks at."""
    apps = [echo_app("foo", replicas=2), echo_app("bar", replicas=1)]
    return after_a_run(put_up(apps=apps, chaos=EVENTS, slo=SLO, **LOAD))


def test_every_event_comes_at_its_second_and_hits_what_is_the_stacks_own(
    report: dict[str, Any], loaded: Workspace
) -> None:
    assert [None] * len(EVENTS) == [one["problem"] for one in report["chaos"]]
    planned_s = [one["at_s"] for one in EVENTS]
    assert planned_s == pytest.approx([one["at_s"] for one in report["chaos"]], abs=0.5)
    foo, bar, node, ingress, delayed_node = (one["victim"] for one in report["chaos"])
    assert foo.startswith("pod apps/foo-")
    assert bar.startswith("pod apps/bar-")
    assert ingress.startswith("pod ingress-nginx/")
    assert node == delayed_node == f"node {loaded.cluster}-worker"


def test_of_two_replicas_one_may_die_and_nobody_who_asks_later_notices(report: dict[str, Any]) -> None:
    killed = report["chaos"][0]["hosts"]
    # It would be every second one otherwise, until the ingress knows.
    assert sum(killed["foo.localhost"]["errors"].values()) <= 1, "the ingress asks the other pod"
    assert killed["foo.localhost"]["requests"] > 40
    next_failed = report["chaos"][1]["hosts"]["bar.localhost"]["in_flight_failed"]
    assert sum(killed["bar.localhost"]["errors"].values()) <= next_failed, "what the next event hit"


def test_the_only_replica_dies_and_the_gap_is_seen_until_it_answers_again(report: dict[str, Any]) -> None:
    killed = report["chaos"][1]["hosts"]
    bar = killed["bar.localhost"]
    assert bar["errors"].keys() == {"http_5xx"}
    assert bar["longest_gap"]["duration_s"] > 0.3
    assert bar["longest_gap"]["duration_s"] > 2 * bar["longest_gap_before"]["duration_s"]
    # Three seconds at most of a container's new start, two until it is asked whether it is ready, and 4.3
    # more until the ingress knows.
    assert bar["recovered_after_s"] is not None, "it does so before the next event"
    assert 0.3 < bar["recovered_after_s"] < 9.5
    assert {} == killed["foo.localhost"]["errors"], "the other app goes on"


def test_a_node_that_stands_still_keeps_everybody_waiting_and_nobody_out(report: dict[str, Any]) -> None:
    frozen = report["chaos"][2]
    assert frozen["over_s"] - frozen["at_s"] == pytest.approx(FREEZE_S, abs=0.5)
    for effect in frozen["hosts"].values():
        assert {} == effect["errors"]
        assert effect["longest_gap"]["duration_s"] > 0.8 * FREEZE_S
        assert effect["during"]["maximum_ms"] > 800 * FREEZE_S
        assert effect["before"]["p95_ms"] < effect["during"]["p95_ms"]


def test_packets_are_late_while_they_are_delayed_and_not_any_more_when_that_is_over(
    report: dict[str, Any], loaded: Workspace
) -> None:
    """To the ingress come the client's request and the app's answer, to the apps' node the request alone."""
    for delayed, times in zip(report["chaos"][3:], (2, 1), strict=True):
        assert delayed["over_s"] - delayed["at_s"] == pytest.approx(DELAY_S, abs=0.5)
        for host, effect in delayed["hosts"].items():
            assert {} == effect["errors"]
            assert effect["before"]["p50_ms"] < DELAY_MS / 2
            assert times * DELAY_MS <= effect["during"]["p50_ms"] < (times + 1) * DELAY_MS
            assert after_ms(loaded, host, delayed["over_s"]) < DELAY_MS / 2, "it is over"


def after_ms(loaded: Workspace, host: str, over_s: float) -> float:
    """What the quicker quarter took of the requests sent in the second that begins half a second after.

    A delay leaves none that is quicker than itself, while a busy machine makes some of any second's slow.
    """
    sent = by_host(sample_store.read_samples(Artifacts(root=loaded.artifacts).samples))[host]
    chosen = sent.where((sent.starts_ns > (over_s + 0.5) * 1e9) & (sent.starts_ns < (over_s + 1.5) * 1e9))
    return statistics.quantiles(chosen.latencies_ns.tolist())[0] / 1e6


def test_the_report_and_the_comment_tell_of_each(report: dict[str, Any], loaded: Workspace) -> None:
    for name in ("report.md", "comment.md"):
        text = (loaded.artifacts / name).read_text()
        for one in report["chaos"]:
            assert f"{one['at_s']:.2f} s: {one['event']['action']} `{one['victim']}`" in text
