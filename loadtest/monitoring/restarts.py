"""Restarts and out-of-memory kills during the load, from the pods and nodes at both its edges. Pure.

A container that ends takes its counters with it, and Kubernetes keeps of its ends the last ones, not always
with the reason: so kills are counted from all who tell, and ends that nobody explains are said. Leaves out
pods that were gone after the load.
"""

import signal
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from loadtest.cluster.node_files import NodeCounters
from loadtest.cluster.objects import ContainerStatus, ContainerStuck, Pod
from loadtest.cluster.states import unix_s
from loadtest.monitoring.edges import Edges
from loadtest.monitoring.model import ResourceUsage, ScopeUsage, Total
from loadtest.monitoring.queries import Scope, labels_of
from loadtest.monitoring.readings import Reading, Span, span_of
from loadtest.monitoring.window import bracket, growth

_OOM_KILLED = "OOMKilled"
_BY_SIGKILL = 128 + signal.SIGKILL  # the exit code
_EDGES = 2


@dataclass(frozen=True, kw_only=True)
class _Container:
    """What one container did between the edges; `unexplained` ends may have been kills, too."""

    pod: Pod
    name: str
    restarts: int
    oom_kills: float
    unexplained: int


def with_restarts(usage: ResourceUsage, scopes: Collection[Scope], edges: Edges) -> ResourceUsage:
    """The usage, and of each scope its restarts; as it is where pods were not listed at both edges."""
    if edges.pods_before is None or edges.pods_after is None:
        return usage
    found = list(_containers(edges.pods_before, edges.pods_after, edges, span_of(usage.window)))
    theirs = {scope.name: [one for one in found if scope.holds(labels_of(one.pod))] for scope in scopes}
    return replace(
        usage,
        scopes=tuple(_with_totals(one, theirs[one.scope]) for one in usage.scopes),
        problems=(*usage.problems, *(_problem(one) for one in found if one.unexplained)),
    )


def _with_totals(scope: ScopeUsage, containers: Collection[_Container]) -> ScopeUsage:
    return replace(
        scope,
        restarts=Total(value=float(sum(one.restarts for one in containers)), samples=_EDGES),
        oom_kills=Total(value=float(sum(one.oom_kills for one in containers)), samples=_EDGES),
    )


def _problem(container: _Container) -> str:
    pod = container.pod.metadata
    return (
        f"{pod.namespace}/{pod.name}: unexplained ends of container {container.name}: "
        f"{container.unexplained}; they may have been out-of-memory kills"
    )


def _containers(
    before: Sequence[Pod], after: Sequence[Pod], edges: Edges, span: Span
) -> Iterator[_Container]:
    earlier = {
        (pod.metadata.uid, status.name): status for pod in before for status in pod.status.container_statuses
    }
    survived = _kills_survived(edges.nodes, span)
    for pod in after:
        for status in pod.status.container_statuses:
            was = earlier.get((pod.metadata.uid, status.name), ContainerStatus(name=status.name))
            ends = [end for end in _ends(was, status) if not _is_earlier(end, span)]
            restarts = status.restart_count - was.restart_count if ends else 0
            yield _Container(
                pod=pod,
                name=status.name,
                restarts=restarts,
                oom_kills=sum(_killed_for_memory(end, edges) for end in ends)
                + (survived.get(_plain(status.container_id), 0) if status.state.running else 0),
                unexplained=max(0, restarts - len(ends))
                + sum(_killed_by_someone(end, edges) for end in ends),
            )


def _ends(was: ContainerStatus, status: ContainerStatus) -> list[ContainerStuck]:
    """The ends that were not told yet at the first edge."""
    known = {end.container_id for end in was.ends}
    return [end for end in status.ends if end.container_id not in known]


def _is_earlier(end: ContainerStuck, span: Span) -> bool:
    """By the cluster's clock, which tells whole seconds, cut off. One without a time is not."""
    return end.finished_at is not None and unix_s(end.finished_at) < int(span.start_s)


def _killed_for_memory(end: ContainerStuck, edges: Edges) -> bool:
    return end.reason == _OOM_KILLED or (end.unexplained and _plain(end.container_id) in edges.oom_killed)


def _killed_by_someone(end: ContainerStuck, edges: Edges) -> bool:
    """Nobody says by whom, so it may have been for its memory: the kernel's log does not name every kill."""
    return end.unexplained and end.exit_code == _BY_SIGKILL and not _killed_for_memory(end, edges)


def _kills_survived(nodes: Iterable[Sequence[NodeCounters]], span: Span) -> Mapping[str, float]:
    """How many processes were killed in containers that went on all the same, by container."""
    counts: dict[str, list[Reading]] = {}
    for node in chain.from_iterable(nodes):
        for one in node.containers:
            if one.oom_kills is not None:
                counts.setdefault(one.container_id, []).append(Reading(at_s=one.at_s, value=one.oom_kills))
    return {container: growth(bracket(readings, span)) for container, readings in counts.items()}


def _plain(container_id: str) -> str:
    """Without the runtime's name before it."""
    return container_id.rpartition("/")[2]
