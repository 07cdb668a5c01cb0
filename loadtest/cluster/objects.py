"""Kubernetes objects, cut down to the fields that are read here; the API leaves out what is zero or empty.

Leaves out what to conclude from them: see `states`.
"""

from typing import TypeAlias

from msgspec import Struct, field


class Metadata(Struct, frozen=True, rename="camel"):
    name: str
    namespace: str = ""
    uid: str = ""
    generation: int = 0
    creation_timestamp: str = ""
    deletion_timestamp: str = ""
    labels: dict[str, str] = field(default_factory=dict)


class Condition(Struct, frozen=True, rename="camel"):
    type: str
    status: str
    reason: str = ""
    message: str = ""
    last_transition_time: str = ""


class Namespace(Struct, frozen=True):
    metadata: Metadata


class NodeInfo(Struct, frozen=True, rename="camel"):
    kubelet_version: str = ""
    container_runtime_version: str = ""
    kernel_version: str = ""


class NodeStatus(Struct, frozen=True, rename="camel"):
    conditions: tuple[Condition, ...] = ()
    node_info: NodeInfo = field(default_factory=NodeInfo)


class Node(Struct, frozen=True):
    metadata: Metadata
    status: NodeStatus = field(default_factory=NodeStatus)


class WorkloadSpec(Struct, frozen=True):
    replicas: int = 0


class WorkloadStatus(Struct, frozen=True, rename="camel"):
    """Of Deployments and StatefulSets the first five, of DaemonSets the last three."""

    observed_generation: int = 0
    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    desired_number_scheduled: int = 0
    updated_number_scheduled: int = 0
    number_available: int = 0


class Workload(Struct, frozen=True):
    """A Deployment, StatefulSet or DaemonSet."""

    kind: str
    metadata: Metadata
    spec: WorkloadSpec = field(default_factory=WorkloadSpec)
    status: WorkloadStatus = field(default_factory=WorkloadStatus)


class AutoscalerSpec(Struct, frozen=True, rename="camel"):
    max_replicas: int
    min_replicas: int = 1


class AutoscalerStatus(Struct, frozen=True, rename="camel"):
    current_replicas: int = 0
    conditions: tuple[Condition, ...] = ()


class Autoscaler(Struct, frozen=True):
    """A HorizontalPodAutoscaler."""

    metadata: Metadata
    spec: AutoscalerSpec
    status: AutoscalerStatus = field(default_factory=AutoscalerStatus)


_ACRONYMS = {"container_id": "containerID", "image_id": "imageID", "pod_ip": "podIP"}


def _api_name(name: str) -> str:
    first, *words = name.split("_")
    return _ACRONYMS.get(name, first + "".join(map(str.capitalize, words)))


class ContainerRunning(Struct, frozen=True, rename="camel"):
    started_at: str = ""


class ContainerStuck(Struct, frozen=True, rename=_api_name):
    """The moments and the id are those of a container that has ended; null where nobody knows the moment."""

    reason: str = ""
    message: str = ""
    exit_code: int = 0
    started_at: str | None = None
    finished_at: str | None = None
    container_id: str = ""

    @property
    def unexplained(self) -> bool:
        """Whether what is told of its end is the word that fits every failure, or that nobody knows."""
        return self.reason in {"Error", "ContainerStatusUnknown"}


class ContainerState(Struct, frozen=True):
    running: ContainerRunning | None = None
    waiting: ContainerStuck | None = None
    terminated: ContainerStuck | None = None


class ContainerStatus(Struct, frozen=True, rename=_api_name):
    """`container_id` is the runtime's name and the id, as `containerd://0af3`; empty before there is one."""

    name: str
    container_id: str = ""
    image: str = ""
    image_id: str = ""
    ready: bool = False
    restart_count: int = 0
    state: ContainerState = field(default_factory=ContainerState)
    last_state: ContainerState = field(default_factory=ContainerState)

    @property
    def ends(self) -> tuple[ContainerStuck, ...]:
        """The ends that Kubernetes still tells: of this container and of the one before."""
        return tuple(filter(None, (self.state.terminated, self.last_state.terminated)))


class Container(Struct, frozen=True):
    name: str
    args: tuple[str, ...] = ()


class PodSpec(Struct, frozen=True, rename="camel"):
    containers: tuple[Container, ...] = ()
    node_name: str = ""
    host_network: bool = False


class PodStatus(Struct, frozen=True, rename=_api_name):
    phase: str = ""
    pod_ip: str = ""
    conditions: tuple[Condition, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()
    init_container_statuses: tuple[ContainerStatus, ...] = ()


class Pod(Struct, frozen=True):
    metadata: Metadata
    spec: PodSpec = field(default_factory=PodSpec)
    status: PodStatus = field(default_factory=PodStatus)


class ObjectReference(Struct, frozen=True):
    kind: str = ""
    name: str = ""
    namespace: str = ""


class Event(Struct, frozen=True, rename="camel"):
    metadata: Metadata
    involved_object: ObjectReference
    type: str = ""
    reason: str = ""
    message: str = ""
    last_timestamp: str | None = None
    event_time: str | None = None


PodName: TypeAlias = tuple[str, str]  # namespace, name
