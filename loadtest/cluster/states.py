"""What Kubernetes objects say of a cluster, as sentences: pure functions over `objects`."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime

from loadtest.cluster.objects import (
    Autoscaler,
    Condition,
    ContainerStatus,
    Event,
    Node,
    Pod,
    PodName,
    Workload,
)

# Of controllers that cannot be asked what they know: Traefik gathers changes for 0.1 s, and the news of a pod
# is on its way for some tenths of a second.
_KNOWN_AFTER_S = 1.0
_WHOLE_SECOND_S = 1.0  # the API cuts off what is less
_BELIEVED_S = _WHOLE_SECOND_S + _KNOWN_AFTER_S + 2.0
_MESSAGE_CHARACTERS = 300


def unready_nodes(nodes: Collection[Node], expected: int) -> list[str]:
    """One sentence for each node that is not Ready, and one where nodes are missing."""
    missing = [f"{len(nodes)} of {expected} nodes have joined"] if len(nodes) < expected else []
    return missing + [
        f"node {node.metadata.name} is not Ready{_because(ready)}"
        for node in nodes
        if (ready := _condition(node.status.conditions, "Ready")) is None or ready.status != "True"
    ]


def unfinished_rollouts(workloads: Collection[Workload], namespaces: Collection[str]) -> list[str]:
    """One sentence for each workload of the namespaces that is not out, and for each namespace with none."""
    ours = [workload for workload in workloads if workload.metadata.namespace in namespaces]
    there = {workload.metadata.namespace for workload in ours}
    empty = [f"namespace {name} has no workload" for name in sorted(set(namespaces) - there)]
    return empty + [
        f"{workload.kind.lower()} {workload.metadata.namespace}/{workload.metadata.name}: {obstacle}"
        for workload in ours
        if (obstacle := _obstacle(workload))
    ]


def _obstacle(workload: Workload) -> str | None:
    if workload.status.observed_generation < workload.metadata.generation:
        return "its latest form has not been seen by its controller"
    return _COUNTS[workload.kind](workload) if workload.kind in _COUNTS else None


def _deployment(workload: Workload) -> str | None:
    wanted, status = workload.spec.replicas, workload.status
    if status.updated_replicas < wanted:
        return f"{status.updated_replicas} of {wanted} replicas are of the latest form"
    if status.replicas > status.updated_replicas:
        return f"{status.replicas - status.updated_replicas} replicas of an older form are still there"
    if status.available_replicas < wanted:
        return f"{status.available_replicas} of {wanted} replicas are available"
    return None


def _stateful_set(workload: Workload) -> str | None:
    wanted, ready = workload.spec.replicas, workload.status.ready_replicas
    return f"{ready} of {wanted} replicas are ready" if ready < wanted else None


def _daemon_set(workload: Workload) -> str | None:
    wanted, status = workload.status.desired_number_scheduled, workload.status
    if status.updated_number_scheduled < wanted:
        return f"{status.updated_number_scheduled} of {wanted} pods are of the latest form"
    if status.number_available < wanted:
        return f"{status.number_available} of {wanted} pods are available"
    return None


_COUNTS: dict[str, Callable[[Workload], str | None]] = {
    "Deployment": _deployment,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
}


def idle_autoscalers(found: Iterable[Autoscaler], expected: Iterable[PodName]) -> list[str]:
    """One sentence for each autoscaler of these names that cannot decide yet, or did not reach its range."""
    there = {(one.metadata.namespace, one.metadata.name): one for one in found}
    return [
        f"autoscaler {namespace}/{name}: {obstacle}"
        for namespace, name in expected
        if (obstacle := _autoscaler(there.get((namespace, name))))
    ]


def _autoscaler(autoscaler: Autoscaler | None) -> str | None:
    if autoscaler is None:
        return "it is not there"
    active = _condition(autoscaler.status.conditions, "ScalingActive")
    if active is None or active.status != "True":
        return f"it has nothing to decide by{_because(active)}"
    least, most = autoscaler.spec.min_replicas, autoscaler.spec.max_replicas
    current = autoscaler.status.current_replicas
    return (
        None
        if least <= current <= most
        else f"{current} replicas are not the {least} to {most} it is to keep"
    )


def ready_since(pod: Pod) -> str | None:
    """When the pod last became ready, as the API tells it; None where it is not ready."""
    ready = _condition(pod.status.conditions, "Ready")
    return ready.last_transition_time if ready and ready.status == "True" else None


def serves(pod: Pod) -> bool:
    """Whether a service sends requests to the pod: it is ready and not on its way out."""
    return ready_since(pod) is not None and not pod.metadata.deletion_timestamp


def newcomers(pods: Iterable[Pod], now_s: float) -> list[str]:
    """One sentence for each pod so newly ready that the ingress may not know it; `now_s` is Unix time."""
    return [
        f"pod {pod.metadata.namespace}/{pod.metadata.name} has just become ready: the ingress learns of it "
        f"within {wait_s:.1f} s"
        for pod in pods
        if (since := ready_since(pod))
        # A cluster's clock that is far ahead of this machine's is not to be believed.
        if 0 < (wait_s := unix_s(since) + _WHOLE_SECOND_S + _KNOWN_AFTER_S - now_s) < _BELIEVED_S
    ]


def unix_s(timestamp: str) -> float:
    """A moment as the API tells it, in seconds since 1970."""
    return datetime.fromisoformat(timestamp).timestamp()


def pod_troubles(pods: Iterable[Pod]) -> list[str]:
    """One sentence for each pod that neither works nor has finished its work."""
    return [
        f"pod {pod.metadata.namespace}/{pod.metadata.name}: {trouble}"
        for pod in pods
        if (trouble := _pod_trouble(pod))
    ]


def troubled_pods(pods: Iterable[Pod]) -> frozenset[PodName]:
    return frozenset((pod.metadata.namespace, pod.metadata.name) for pod in pods if _pod_trouble(pod))


def host_network_pods(pods: Iterable[Pod]) -> frozenset[PodName]:
    return frozenset((pod.metadata.namespace, pod.metadata.name) for pod in pods if pod.spec.host_network)


def _pod_trouble(pod: Pod) -> str | None:
    if pod.status.phase == "Succeeded":
        return None
    stuck = [text for status in pod.status.container_statuses if (text := _container_trouble(status))]
    if stuck:
        return ", ".join(stuck)
    unmet = [one for one in pod.status.conditions if one.status != "True" and one.type in _POD_CONDITIONS]
    if pod.status.phase == "Running" and not unmet:
        return None
    return pod.status.phase + (_because(unmet[0]) if unmet else "")


_POD_CONDITIONS = ("PodScheduled", "Ready")


def _container_trouble(status: ContainerStatus) -> str | None:
    held = status.state.waiting or status.state.terminated
    if held is None:
        return None
    restarts = f", {status.restart_count} restarts" if status.restart_count else ""
    exit_code = f" (exit code {held.exit_code})" if status.state.terminated else ""
    return f"container {status.name}: {held.reason}{exit_code}{restarts} {held.message}".strip()[
        :_MESSAGE_CHARACTERS
    ]


def telling_events(events: Iterable[Event], troubled: Collection[PodName]) -> list[Event]:
    """Warnings of the pods in trouble; where none is, all warnings."""
    warnings = [event for event in events if event.type != "Normal"]
    theirs = [
        one for one in warnings if (one.involved_object.namespace, one.involved_object.name) in troubled
    ]
    return theirs or warnings


def event_lines(events: Iterable[Event]) -> list[str]:
    """The events as lines, oldest first."""
    return [_event_line(event) for event in sorted(events, key=_moment)]


def _event_line(event: Event) -> str:
    thing = event.involved_object
    where = f"{thing.namespace}/{thing.name}" if thing.namespace else thing.name
    message = " ".join(event.message.split())[:_MESSAGE_CHARACTERS]
    return f"{_moment(event)} {thing.kind.lower()} {where}: {event.reason}: {message}"


def _moment(event: Event) -> str:
    return event.last_timestamp or event.event_time or event.metadata.creation_timestamp


def _condition(conditions: Iterable[Condition], kind: str) -> Condition | None:
    return next((condition for condition in conditions if condition.type == kind), None)


def _because(condition: Condition | None) -> str:
    said = [text for text in (condition.reason, condition.message) if text] if condition else []
    return f" ({': '.join(said)[:_MESSAGE_CHARACTERS]})" if said else ""
