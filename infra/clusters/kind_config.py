"""The KinD cluster as the document that `kind create cluster` reads. Pure."""

from collections.abc import Mapping
from typing import Any

from infra.clusters.contract import PortMapping
from infra.labels import INGRESS_NODE
from infra.ports import LOOPBACK

# There is one of each, so no leader to elect. Waiting for the election, and the throttle on what controllers
# ask at their start, hold up every node that joins.
_CONTROL_PLANE_AT_ONCE = """\
kind: ClusterConfiguration
controllerManager:
  extraArgs: {leader-elect: "false", kube-api-qps: "200", kube-api-burst: "400"}
scheduler:
  extraArgs: {leader-elect: "false"}
"""


def kind_config(*, workers: int, node_image: str, ports: tuple[PortMapping, ...]) -> Mapping[str, Any]:
    """One control plane, which the ingress runs on and whose ports are mapped, and `workers` workers."""
    control_plane = {
        "role": "control-plane",
        "image": node_image,
        "labels": dict(INGRESS_NODE),
        "extraPortMappings": [_mapping(port) for port in ports],
    }
    return {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        # The kubelet may not set every kernel parameter where the container engine itself is confined.
        "featureGates": {"KubeletInUserNamespace": True},
        "kubeadmConfigPatches": [
            _CONTROL_PLANE_AT_ONCE,
            *(_kubelet_args(kind) for kind in ("InitConfiguration", "JoinConfiguration")),
        ],
        "nodes": [control_plane, *({"role": "worker", "image": node_image} for _ in range(workers))],
    }


def _mapping(port: PortMapping) -> Mapping[str, Any]:
    return {
        "containerPort": port.node_port,
        "hostPort": port.host_port,
        "listenAddress": LOOPBACK,
        "protocol": "TCP",
    }


def _kubelet_args(kind: str) -> str:
    # By default a container's counters are 10 to 20 s old: a short load window would fall between two.
    return f'kind: {kind}\nnodeRegistration:\n  kubeletExtraArgs:\n    housekeeping-interval: "1s"\n'
