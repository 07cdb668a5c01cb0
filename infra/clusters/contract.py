"""What a stack asks of a cluster and what every kind of cluster gives: the rest need not know which it is."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pulumi
import pulumi_kubernetes as kubernetes

from infra.whereabouts import Whereabouts


@dataclass(frozen=True, kw_only=True)
class PortMapping:
    """A node port of the cluster, reachable at a loopback port of the machine."""

    node_port: int
    host_port: int


@dataclass(frozen=True, kw_only=True)
class LocalImage:
    """An image of the machine's container engine. `image_id` tells one build of it from the next.

    It runs on the node whose ports are mapped where `on_ingress_node`, and else on the others.
    """

    reference: str
    image_id: str
    on_ingress_node: bool


@dataclass(frozen=True, kw_only=True)
class ClusterArgs:
    """`context` of `kubeconfig` is the way into the cluster: where to put it, or where it lies.

    A kubeconfig of None is the one that `kubectl` would take.
    `autoscaling_sync_s` is how often its autoscalers look at what their apps use. `whereabouts` are what the
    component has to register as its outputs.
    """

    whereabouts: Whereabouts
    name: str
    context: str
    kubeconfig: Path | None
    control_planes: int
    workers: int
    node_image: str
    autoscaling_sync_s: int
    ports: tuple[PortMapping, ...]
    images: tuple[LocalImage, ...]


class Cluster(Protocol):
    """What is in the cluster ends with `lifetime`; None where the cluster stays.

    `kubeconfig` is the text of it; None where it is not the stack's to hand out. `kubernetes_version` is what
    really runs; None where nobody asked.
    """

    provider: kubernetes.Provider
    kubernetes_version: pulumi.Output[str] | None
    lifetime: pulumi.Resource | None
    kubeconfig: pulumi.Output[str] | None
