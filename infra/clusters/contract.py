"""What a stack asks of a cluster and what every kind of cluster gives: the rest need not know which it is."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pulumi
import pulumi_kubernetes as kubernetes


@dataclass(frozen=True, kw_only=True)
class PortMapping:
    """A node port of the cluster, reachable at a loopback port of the machine."""

    node_port: int
    host_port: int


@dataclass(frozen=True, kw_only=True)
class ClusterArgs:
    """`kubeconfig` is where to put the way into the cluster.

    `autoscaling_sync_s` is how often its autoscalers look at what their apps use.
    """

    name: str
    kubeconfig: Path
    control_planes: int
    workers: int
    node_image: str
    autoscaling_sync_s: int
    ports: tuple[PortMapping, ...]


class Cluster(Protocol):
    """`lifetime` is the resource with whose end everything in the cluster ends too."""

    provider: kubernetes.Provider
    lifetime: pulumi.Resource
    kubeconfig: pulumi.Output[str]
