"""The KinD cluster as the document that `kind create cluster` reads. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from infra.clusters.contract import ClusterArgs, PortMapping
from infra.labels import INGRESS_NODE
from infra.ports import LOOPBACK

# What holds up every node that joins: the throttle on what controllers ask at their start, and the wait for
# the election of a leader where there is but one of each to elect.
_FAST_CONTROLLERS = {"kube-api-qps": "200", "kube-api-burst": "400"}
_NO_ELECTION = {"leader-elect": "false"}
# Nothing has to outlive the machine: a write that waits for the disk holds up all that waits for it.
_NO_SYNC = {"unsafe-no-fsync": "true"}
_KUBERNETES_SYNC_S = 15
_NODES = ("InitConfiguration", "JoinConfiguration")
# kind writes this version for Kubernetes below 1.36. The next has arguments in another form: there kubeadm's
# own defaults stay, and a cluster is slower to come up.
_KUBEADM = "kubeadm.k8s.io/v1beta3"


def kind_config(args: ClusterArgs) -> Mapping[str, Any]:
    """The ingress runs on the first control plane, whose ports are mapped."""
    first = {"labels": dict(INGRESS_NODE), "extraPortMappings": [_mapping(port) for port in args.ports]}
    control_planes = [{"role": "control-plane", "image": args.node_image} for _ in range(args.control_planes)]
    workers = [{"role": "worker", "image": args.node_image} for _ in range(args.workers)]
    return {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        # The kubelet may not set every kernel parameter where the container engine itself is confined.
        "featureGates": {"KubeletInUserNamespace": True},
        "kubeadmConfigPatches": [
            _controllers(args),
            *(_kubelet_args(kind) for kind in _NODES),
            *(_open_to_all(kind) for kind in _NODES if args.control_planes > 1 and not args.workers),
        ],
        "nodes": [control_planes[0] | first, *control_planes[1:], *workers],
    }


def _controllers(args: ClusterArgs) -> str:
    election = {} if args.control_planes > 1 else _NO_ELECTION
    return _patch(
        "ClusterConfiguration",
        controllerManager={"extraArgs": election | _FAST_CONTROLLERS | _autoscaling(args.autoscaling_sync_s)},
        scheduler={"extraArgs": election},
        etcd={"local": {"extraArgs": _NO_SYNC}},
    )


def _autoscaling(sync_s: int) -> dict[str, str]:
    # Kubernetes' own goes without saying: whoever leaves it alone keeps the cluster as it is.
    own = sync_s == _KUBERNETES_SYNC_S
    return {} if own else {"horizontal-pod-autoscaler-sync-period": f"{sync_s}s"}


def _mapping(port: PortMapping) -> Mapping[str, Any]:
    return {
        "containerPort": port.node_port,
        "hostPort": port.host_port,
        "listenAddress": LOOPBACK,
        "protocol": "TCP",
    }


def _kubelet_args(kind: str) -> str:
    # By default a container's counters are 10 to 20 s old: a short load window would fall between two.
    return _patch(kind, nodeRegistration={"kubeletExtraArgs": {"housekeeping-interval": "1s"}})


def _open_to_all(kind: str) -> str:
    # kind lets whatever comes run on a control plane where that is the only node, and not where it is one of
    # several: without workers nothing would find a place.
    return json.dumps({"kind": kind, "nodeRegistration": {"taints": []}})


def _patch(kind: str, **changes: Mapping[str, Any]) -> str:
    return json.dumps({"apiVersion": _KUBEADM, "kind": kind, **changes})
