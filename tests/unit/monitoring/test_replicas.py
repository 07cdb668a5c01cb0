"""Replicas over time from what pods say of themselves, and what they cannot say."""

from dataclasses import replace
from typing import Any

import msgspec

from loadtest.cluster.objects import Pod
from loadtest.monitoring.model import ReplicaHistory, ReplicaStep, ResourceUsage
from loadtest.monitoring.replicas import with_replicas
from loadtest.sample import LoadWindow
from loadtest.target import AutoscalerTarget
from tests.unit.monitoring.values import BAR, FOO
from tests.unit.report.values import scope

SCALED = replace(
    FOO,
    autoscaler=AutoscalerTarget(
        min_replicas=1, max_replicas=4, target_cpu_percent=50, scale_up_stabilization_s=0
    ),
)
# A load from 09:00:10.5 to 09:01:10.5 on the day of the pods below.
_BEGIN_UNIX_S = 1_780_304_410.5
WINDOW = LoadWindow(started_unix_ns=int(_BEGIN_UNIX_S * 1e9), ended_unix_ns=int((_BEGIN_UNIX_S + 60) * 1e9))
OLD = "2026-06-01T08:59:00Z"


def pod(
    end: str, *, created: str = OLD, ready: str | None = OLD, namespace: str = "apps", **metadata: Any
) -> Pod:
    condition = {"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": ready or OLD}
    document = {
        "metadata": {
            "name": f"foo-5d8f7c9b4-{end}",
            "namespace": namespace,
            "creationTimestamp": created,
            **metadata,
        },
        "status": {"phase": "Running", "conditions": [condition]},
    }
    return msgspec.convert(document, Pod)


def measured(*pods: Pod, most_seen: float | None = None) -> ResourceUsage:
    seen = scope("foo")
    seen = replace(seen, running_pods=replace(seen.running_pods, maximum=most_seen))
    usage = ResourceUsage(window=WINDOW, scrape_interval_s=2.0, scopes=(seen,), problems=("as before",))
    return with_replicas(usage, (SCALED, BAR), pods)


def history(*pods: Pod) -> ReplicaHistory:
    usage = measured(*pods)
    assert usage.problems == ("as before",)
    (only,) = usage.replicas
    return only


def test_only_apps_with_an_autoscaler_have_a_history() -> None:
    assert [one.app for one in measured(pod("x2k9z")).replicas] == ["foo"]


def test_a_load_that_adds_no_replica_has_one_number_all_along() -> None:
    assert history(pod("x2k9z"), pod("b7t4n")) == ReplicaHistory(
        app="foo",
        ready=(ReplicaStep(at_s=0.0, replicas=2),),
        first_new_created_s=None,
        first_new_ready_s=None,
    )


def test_each_new_replica_counts_from_when_it_was_ready_whatever_order_they_are_told_in() -> None:
    late = pod("b7t4n", created="2026-06-01T09:00:30Z", ready="2026-06-01T09:00:45Z")
    soon = pod("c6s4m", created="2026-06-01T09:00:31Z", ready="2026-06-01T09:00:34Z")
    found = history(late, pod("x2k9z"), soon)
    assert [(step.at_s, step.replicas) for step in found.ready] == [(0.0, 1), (23.5, 2), (34.5, 3)]
    assert (found.first_new_created_s, found.first_new_ready_s) == (19.5, 23.5)


def test_a_replica_that_comes_after_the_load_is_none_of_its() -> None:
    after = pod("b7t4n", created="2026-06-01T09:01:11Z", ready="2026-06-01T09:01:13Z")
    assert history(pod("x2k9z"), after) == history(pod("x2k9z"))


def test_one_that_was_created_under_load_and_ready_after_it_was_not_ready_and_is_said_to_be() -> None:
    late = pod("b7t4n", created="2026-06-01T09:01:05Z", ready="2026-06-01T09:01:12Z")
    usage = measured(pod("x2k9z"), late)
    assert usage.problems[:-1] == ("foo: replicas: foo-5d8f7c9b4-b7t4n was not ready at the load's end",)
    assert (usage.replicas[0].first_new_created_s, usage.replicas[0].first_new_ready_s) == (54.5, None)
    assert [step.replicas for step in usage.replicas[0].ready] == [1]


def test_one_that_is_not_ready_any_more_does_not_count_and_is_named() -> None:
    usage = measured(pod("x2k9z", ready=None))
    assert usage.problems[:-1] == ("foo: replicas: foo-5d8f7c9b4-x2k9z was not ready at the load's end",)
    assert usage.replicas[0].ready == (ReplicaStep(at_s=0.0, replicas=0),)


def test_an_old_one_that_became_ready_again_is_not_taken_for_a_new_one() -> None:
    usage = measured(pod("x2k9z", ready="2026-06-01T09:00:20Z"))
    assert usage.problems[:-1] == (
        "foo: replicas: foo-5d8f7c9b4-x2k9z, which was there before the load, last became ready 10 s into "
        "it: whether it was ready before is not known",
    )
    assert usage.replicas[0].first_new_ready_s is None


def test_those_that_prometheus_saw_and_that_are_gone_are_counted_as_unknown() -> None:
    leaving = pod("b7t4n", deletionTimestamp="2026-06-01T09:01:00Z")
    usage = measured(pod("x2k9z"), leaving, most_seen=3.0)
    assert usage.problems[:-1] == (
        "foo: replicas: 2 or more that ran during the load are gone: when they were ready is not known",
    )


def test_pods_of_other_apps_and_namespaces_are_not_the_apps() -> None:
    assert history(pod("x2k9z"), pod("b7t4n", namespace="other")) == history(pod("x2k9z"))
