"""Restarts and out-of-memory kills from what pods and nodes say at both edges of the load."""

from dataclasses import replace

import msgspec
import pytest

from loadtest.cluster.node_files import ContainerCounters, NodeCounters
from loadtest.cluster.objects import (
    ContainerRunning,
    ContainerState,
    ContainerStatus,
    ContainerStuck,
    Metadata,
    Pod,
    PodStatus,
)
from loadtest.monitoring.edges import Edges
from loadtest.monitoring.model import ResourceUsage, ScopeUsage, Total
from loadtest.monitoring.queries import scopes_of
from loadtest.monitoring.resources import usage_from
from loadtest.monitoring.restarts import with_restarts
from tests.unit.monitoring.values import (
    BAR,
    BAR_POD,
    FOO,
    FOO_POD,
    empty_readings,
    ingress_target,
    question,
)

# The window is from second 100 to 102 of the epoch.
_BEFORE, _DURING = "1970-01-01T00:01:38Z", "1970-01-01T00:01:41Z"
_RUNNING = ContainerState(running=ContainerRunning(started_at=_BEFORE))


def ended(
    container_id: str, *, at: str = _DURING, reason: str = "OOMKilled", exit_code: int = 137
) -> ContainerStuck:
    return ContainerStuck(
        reason=reason, exit_code=exit_code, finished_at=at, container_id=f"containerd://{container_id}"
    )


def pod(
    restarts: int = 0,
    *,
    last: ContainerStuck | None = None,
    state: ContainerState = _RUNNING,
    name: str = FOO_POD,
    container_id: str = "a",
) -> Pod:
    status = ContainerStatus(
        name="main",
        container_id=f"containerd://{container_id}",
        restart_count=restarts,
        state=state,
        last_state=ContainerState(terminated=last),
    )
    return Pod(
        metadata=Metadata(name=name, namespace="apps", uid=name),
        status=PodStatus(container_statuses=(status,)),
    )


def kills(at_s: float, count: int | None, container_id: str = "a") -> tuple[NodeCounters, ...]:
    container = ContainerCounters(
        at_s=at_s,
        container_id=container_id,
        pod_uid=FOO_POD,
        cpu_s=0,
        memory_bytes=0,
        traffic={},
        throttling=None,
        stalled_s={},
        oom_kills=count,
    )
    return (NodeCounters(name="node", at_s=at_s, cpu_s=None, containers=(container,)),)


def _unexplained(ends: int) -> str:
    return (
        f"apps/{FOO_POD}: unexplained ends of container main: {ends}; they may have been out-of-memory kills"
    )


def usage(
    before: tuple[Pod, ...] | None,
    after: tuple[Pod, ...] | None,
    *nodes: tuple[NodeCounters, ...],
    oom_killed: frozenset[str] = frozenset(),
) -> ResourceUsage:
    edges = Edges()
    edges.oom_killed = oom_killed
    edges.pods_before, edges.pods_after = before, after
    edges.nodes.extend(nodes)
    plain = replace(usage_from(empty_readings(), question(), waited_s=0), problems=())
    return with_restarts(plain, scopes_of((FOO, BAR), ingress_target()), edges)


def scope(found: ResourceUsage, name: str) -> ScopeUsage:
    return next(one for one in found.scopes if one.scope == name)


def counted(found: ResourceUsage, name: str) -> tuple[float | None, float | None]:
    return scope(found, name).restarts.value, scope(found, name).oom_kills.value


def test_where_nothing_ended_there_was_no_restart_and_that_is_known() -> None:
    found = usage((pod(3), pod(name=BAR_POD)), (pod(3), pod(name=BAR_POD)))
    assert scope(found, "foo").restarts == scope(found, "cluster").oom_kills == Total(value=0.0, samples=2)
    assert found.problems == ()


def test_a_container_killed_for_its_memory_is_a_restart_and_a_kill_of_its_app_and_the_cluster() -> None:
    found = usage((pod(), pod(name=BAR_POD)), (pod(1, last=ended("a"), container_id="b"), pod(name=BAR_POD)))
    assert [counted(found, name) for name in ("foo", "bar", "cluster")] == [(1, 1), (0, 0), (1, 1)]


def test_a_container_that_ended_of_itself_is_a_restart_and_no_kill() -> None:
    failed = ended("a", reason="Error", exit_code=1)
    found = usage((pod(),), (pod(1, last=failed),))
    assert (counted(found, "foo"), found.problems) == ((1, 0), ())


@pytest.mark.parametrize("exit_code", [137, 1])
def test_a_kill_that_only_the_kernel_tells_is_counted(exit_code: int) -> None:
    failed = ended("a", reason="Error", exit_code=exit_code)
    found = usage((pod(),), (pod(1, last=failed),), oom_killed=frozenset("a"))
    assert (counted(found, "foo"), found.problems) == ((1, 1), ())


def test_a_kill_that_both_tell_is_one() -> None:
    found = usage((pod(),), (pod(1, last=ended("a")),), oom_killed=frozenset("a"))
    assert counted(found, "foo") == (1, 1)


def test_what_the_kernel_names_of_an_end_that_is_explained_was_not_its_end() -> None:
    done = ended("a", reason="Completed", exit_code=0)
    found = usage((pod(),), (pod(1, last=done),), oom_killed=frozenset("a"))
    assert (counted(found, "foo"), found.problems) == ((1, 0), ())


@pytest.mark.parametrize("oom_killed", ["", "z"])
def test_a_container_that_was_killed_nobody_says_by_whom_is_said(oom_killed: str) -> None:
    killed = pod(1, last=ended("a", reason="Error"))
    found = usage((pod(),), (killed,), oom_killed=frozenset(oom_killed))
    assert counted(found, "foo") == (1, 0)
    assert found.problems == (_unexplained(1),)


def test_a_container_that_its_node_lost_sight_of_is_said() -> None:
    """As the API tells it: nobody knows when it ended."""
    told = b"""{"reason": "ContainerStatusUnknown", "exitCode": 137, "startedAt": null, "finishedAt": null}"""
    lost = pod(1, last=msgspec.json.decode(told, type=ContainerStuck))
    found = usage((pod(),), (lost,))
    assert (counted(found, "foo"), found.problems) == ((1, 0), (_unexplained(1),))
    assert usage((lost,), (lost,)).problems == (), "it was told before the load"


def test_a_kill_counts_though_the_container_has_not_begun_again() -> None:
    waiting = ContainerState(waiting=ContainerStuck(reason="CrashLoopBackOff"))
    assert counted(usage((pod(4),), (pod(4, last=ended("a"), state=waiting),)), "foo") == (0, 1)


def test_an_end_that_was_told_before_the_load_is_not_of_the_load() -> None:
    old = ended("z", at=_BEFORE)
    assert counted(usage((pod(1, last=old),), (pod(1, last=old),)), "foo") == (0, 0)


def test_an_end_in_the_very_second_of_the_load_that_was_told_before_it_is_not_of_the_load() -> None:
    old = ended("z", at="1970-01-01T00:01:40Z")
    assert counted(usage((pod(1, last=old),), (pod(1, last=old),)), "foo") == (0, 0)


def test_an_end_between_the_first_look_and_the_load_is_not_of_the_load() -> None:
    assert counted(usage((pod(),), (pod(1, last=ended("a", at=_BEFORE)),)), "foo") == (0, 0)


def test_ends_that_kubernetes_no_longer_tells_the_reason_of_are_said_to_be_unknown() -> None:
    found = usage((pod(),), (pod(3, last=ended("c")),))
    assert counted(found, "foo") == (3, 1)
    assert found.problems == (_unexplained(2),)


def test_a_process_killed_in_a_container_that_went_on_is_a_kill_and_no_restart() -> None:
    found = usage((pod(),), (pod(),), kills(98, 1), kills(99.9, 2), kills(102.1, 4))
    assert counted(found, "foo") == (0, 2)


def test_a_container_that_died_of_the_kill_its_node_counted_died_once() -> None:
    gone = ContainerState(terminated=ended("a"))
    found = usage((pod(),), (pod(state=gone),), kills(99.9, 0), kills(102.1, 1))
    assert counted(found, "foo") == (0, 1)


def test_a_pod_born_during_the_load_brings_all_its_restarts() -> None:
    assert counted(usage((), (pod(1, last=ended("a")),)), "foo") == (1, 1)


def test_where_pods_could_not_be_listed_restarts_are_missing_and_not_nought() -> None:
    for before, after in ((None, (pod(),)), ((pod(),), None)):
        assert scope(usage(before, after), "foo").restarts == Total(value=None, samples=0)
