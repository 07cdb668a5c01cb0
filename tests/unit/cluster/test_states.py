"""What Kubernetes objects say of a cluster, as sentences."""

from typing import Any

import msgspec
import pytest

from loadtest.cluster.objects import Autoscaler, Event, Node, Pod, Workload
from loadtest.cluster.states import (
    event_lines,
    host_network_pods,
    idle_autoscalers,
    newcomers,
    pod_troubles,
    telling_events,
    troubled_pods,
    unfinished_rollouts,
    unix_s,
    unready_nodes,
)


def node(name: str, ready: str | None = "True", **condition: str) -> Node:
    conditions = [{"type": "MemoryPressure", "status": "False"}]
    if ready:
        conditions.append({"type": "Ready", "status": ready, **condition})
    return msgspec.convert({"metadata": {"name": name}, "status": {"conditions": conditions}}, Node)


def workload(kind: str, *, wanted: int = 2, generation: int = 3, **status: int) -> Workload:
    """As the API shows it, which leaves out what is zero."""
    document = {
        "kind": kind,
        "metadata": {"name": "foo", "namespace": "apps", "generation": generation},
        "spec": {"replicas": wanted},
        "status": {"observedGeneration": generation, **status},
    }
    return msgspec.convert(document, Workload)


def autoscaler(active: str | None = "True", *, current: int = 1, **condition: str) -> Autoscaler:
    conditions = [{"type": "AbleToScale", "status": "True"}]
    if active:
        conditions.append({"type": "ScalingActive", "status": active, **condition})
    document = {
        "metadata": {"name": "foo", "namespace": "apps"},
        "spec": {"minReplicas": 2, "maxReplicas": 4},
        "status": {"currentReplicas": current, "conditions": conditions},
    }
    return msgspec.convert(document, Autoscaler)


def pod(phase: str = "Running", *, ready: str = "True", **rest: Any) -> Pod:
    document = {
        "metadata": {"name": "foo-1", "namespace": "apps"},
        "status": {"phase": phase, "conditions": [{"type": "Ready", "status": ready}], **rest},
    }
    return msgspec.convert(document, Pod)


def container(**state: dict[str, Any]) -> dict[str, Any]:
    return {"name": "echo", "restartCount": 4, "state": state}


class TestNodes:
    def test_ready_ones_in_the_number_expected_are_no_problem(self) -> None:
        assert unready_nodes([node("a"), node("b")], expected=2) == []

    def test_one_that_is_not_ready_is_named_with_its_reason(self) -> None:
        nodes = [node("a"), node("b", "False", reason="KubeletNotReady", message="no CNI")]
        assert unready_nodes(nodes, expected=2) == ["node b is not Ready (KubeletNotReady: no CNI)"]

    def test_one_whose_state_nobody_knows_is_not_ready(self) -> None:
        assert unready_nodes([node("a", "Unknown"), node("b", None)], expected=2) == [
            "node a is not Ready",
            "node b is not Ready",
        ]

    def test_one_that_has_not_joined_is_missed(self) -> None:
        assert unready_nodes([node("a")], expected=3) == ["1 of 3 nodes have joined"]


def deployment(**changes: int) -> Workload:
    """Complete, but for the changes."""
    complete = {"replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2}
    return workload("Deployment", **{**complete, **changes})


def daemon_set(**changes: int) -> Workload:
    """Complete, but for the changes."""
    complete = {"desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": 3}
    return workload("DaemonSet", wanted=0, **{**complete, **changes})


class TestAutoscalers:
    def obstacle(self, *found: Autoscaler) -> list[str]:
        return idle_autoscalers(found, [("apps", "foo")])

    @pytest.mark.parametrize("current", [2, 3, 4])
    def test_one_that_has_figures_and_keeps_its_range_is_no_problem(self, current: int) -> None:
        assert self.obstacle(autoscaler(current=current)) == []

    def test_one_that_has_not_looked_yet_is_waited_for(self) -> None:
        assert self.obstacle(autoscaler(None)) == ["autoscaler apps/foo: it has nothing to decide by"]

    def test_one_without_figures_is_said_to_in_its_own_words(self) -> None:
        without = autoscaler("False", reason="FailedGetResourceMetric", message="no metrics returned")
        assert self.obstacle(without) == [
            "autoscaler apps/foo: it has nothing to decide by (FailedGetResourceMetric: no metrics returned)"
        ]

    @pytest.mark.parametrize("current", [1, 5])
    def test_one_outside_its_range_is_a_problem(self, current: int) -> None:
        assert self.obstacle(autoscaler(current=current)) == [
            f"autoscaler apps/foo: {current} replicas are not the 2 to 4 it is to keep"
        ]

    def test_one_that_is_not_there_is_missed_and_a_strangers_is_not_looked_at(self) -> None:
        assert self.obstacle() == ["autoscaler apps/foo: it is not there"]
        assert idle_autoscalers([autoscaler("False")], []) == []


class TestRollouts:
    @pytest.mark.parametrize(
        "done",
        [
            deployment(),
            workload("StatefulSet", readyReplicas=2),
            daemon_set(),
            workload("DaemonSet", wanted=0),  # no node takes it: nothing is to be waited for
        ],
    )
    def test_a_complete_one_is_no_problem(self, done: Workload) -> None:
        assert unfinished_rollouts([done], {"apps"}) == []

    @pytest.mark.parametrize(
        ("unfinished", "said"),
        [
            (workload("Deployment"), "0 of 2 replicas are of the latest form"),
            (deployment(updatedReplicas=1), "1 of 2 replicas are of the latest form"),
            (deployment(replicas=3), "1 replicas of an older form are still there"),
            (deployment(availableReplicas=1), "1 of 2 replicas are available"),
            (deployment(observedGeneration=2), "has not been seen by its controller"),
            (workload("StatefulSet", readyReplicas=1), "1 of 2 replicas are ready"),
            (daemon_set(updatedNumberScheduled=2), "2 of 3 pods are of the latest form"),
            (daemon_set(numberAvailable=1), "1 of 3 pods are available"),
        ],
    )
    def test_an_unfinished_one_is_named_with_what_it_lacks(self, unfinished: Workload, said: str) -> None:
        (problem,) = unfinished_rollouts([unfinished], {"apps"})
        assert problem.startswith(f"{unfinished.kind.lower()} apps/foo: ")
        assert said in problem

    def test_other_namespaces_are_none_of_ours(self) -> None:
        done = deployment()
        elsewhere = msgspec.structs.replace(
            workload("Deployment"), metadata=msgspec.structs.replace(done.metadata, namespace="elsewhere")
        )
        assert unfinished_rollouts([done, elsewhere], {"apps"}) == []

    def test_a_namespace_with_nothing_in_it_is_not_out(self) -> None:
        assert unfinished_rollouts([], {"b", "a"}) == [
            "namespace a has no workload",
            "namespace b has no workload",
        ]


class TestPods:
    @pytest.mark.parametrize("fine", [pod(), pod("Succeeded", ready="False")])
    def test_one_that_works_or_has_finished_is_no_trouble(self, fine: Pod) -> None:
        assert pod_troubles([fine]) == []

    def test_one_that_cannot_get_its_image_says_so(self) -> None:
        stuck = container(waiting={"reason": "ErrImagePull", "message": "not found"})
        troubled = pod("Pending", ready="False", containerStatuses=[stuck])
        assert pod_troubles([troubled]) == [
            "pod apps/foo-1: container echo: ErrImagePull, 4 restarts not found"
        ]
        assert troubled_pods([troubled]) == {("apps", "foo-1")}

    def test_one_that_crashed_says_its_exit_code(self) -> None:
        crashed = container(terminated={"reason": "Error", "exitCode": 137})
        assert pod_troubles([pod(containerStatuses=[crashed])]) == [
            "pod apps/foo-1: container echo: Error (exit code 137), 4 restarts"
        ]

    def test_one_that_is_not_ready_is_in_trouble_though_it_runs(self) -> None:
        assert pod_troubles([pod(ready="False")]) == ["pod apps/foo-1: Running"]

    def test_one_that_fits_no_node_says_why(self) -> None:
        conditions = [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no CPU"}
        ]
        assert pod_troubles([pod("Pending", conditions=conditions)]) == [
            "pod apps/foo-1: Pending (Unschedulable: no CPU)"
        ]

    def test_those_on_their_nodes_network_are_told_apart(self) -> None:
        document = {"metadata": {"name": "proxy", "namespace": "kube-system"}, "spec": {"hostNetwork": True}}
        assert host_network_pods([pod(), msgspec.convert(document, Pod)]) == {("kube-system", "proxy")}


def event(kind: str, at: str | None, message: str, **rest: Any) -> Event:
    document: dict[str, Any] = {
        "metadata": {"name": "e", "namespace": "apps", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "involvedObject": {"kind": "Pod", "name": "foo-1", "namespace": "apps"},
        "type": kind,
        "reason": "Failed",
        "message": message,
        "lastTimestamp": at,
        **rest,
    }
    return msgspec.convert(document, Event)


class TestEvents:
    def test_lines_come_oldest_first(self) -> None:
        events = [
            event("Warning", "2026-01-01T00:00:05Z", "later"),
            event("Warning", "2026-01-01T00:00:02Z", "sooner"),
        ]
        assert event_lines(events) == [
            "2026-01-01T00:00:02Z pod apps/foo-1: Failed: sooner",
            "2026-01-01T00:00:05Z pod apps/foo-1: Failed: later",
        ]

    def test_warnings_of_pods_in_trouble_tell_more_than_others(self) -> None:
        theirs, fine = event("Warning", None, "x"), event("Normal", None, "y")
        node = event("Warning", None, "z", involvedObject={"kind": "Node", "name": "a"})
        assert telling_events([node, fine, theirs], {("apps", "foo-1")}) == [theirs]
        assert telling_events([node, fine], {("apps", "foo-1")}) == [node]
        assert telling_events([fine], set()) == []

    def test_one_without_a_last_time_has_the_time_of_its_making(self) -> None:
        assert event_lines([event("Warning", None, "x")])[0].startswith("2026-01-01T00:00:00Z")

    def test_a_message_of_many_lines_becomes_one_that_is_not_too_long(self) -> None:
        (line,) = event_lines([event("Warning", None, "a\nb " + "c" * 10_000)])
        assert "a b ccc" in line
        assert len(line) < 400


class TestNewcomers:
    SINCE = "2026-11-21T12:00:00Z"

    def told_after_s(self, age_s: float, **condition: str) -> list[str]:
        ready = {"type": "Ready", "status": "True", "lastTransitionTime": self.SINCE, **condition}
        return newcomers([pod(conditions=[ready])], now_s=unix_s(self.SINCE) + age_s)

    @pytest.mark.parametrize("age_s", [-1.9, 0, 1.9])
    def test_one_is_for_as_long_as_an_ingress_takes_and_the_second_that_was_cut_off(
        self, age_s: float
    ) -> None:
        (told,) = self.told_after_s(age_s)
        assert (
            f"pod apps/foo-1 has just become ready: the ingress learns of it within {2.0 - age_s:.1f} s"
            == told
        )

    def test_afterwards_it_is_not(self) -> None:
        assert [] == self.told_after_s(2.1)

    def test_one_that_is_not_ready_is_none(self) -> None:
        assert [] == self.told_after_s(1, status="False")

    def test_a_clock_that_is_far_ahead_is_not_believed(self) -> None:
        assert [] == self.told_after_s(-2.1)
