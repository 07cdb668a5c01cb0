"""Asking a cluster, and this machine's container engine, which versions and images they really run.

Leaves out comparing them: see `fingerprint`.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from loadtest import process
from loadtest.cluster import kind
from loadtest.cluster.kubectl import Kubectl
from loadtest.cluster.objects import Node, Pod
from loadtest.errors import LoadTestError
from loadtest.versions import NodeVersions, RunningImage, Versions

_TIMEOUT_S = 10.0
_IMAGE = "{{.Name}} {{.Config.Image}} {{.Image}}"


def read_versions(
    kubectl: Kubectl, pods: Iterable[Pod], *, kind_cluster: str | None, namespaces: Collection[str]
) -> Versions:
    """Of a cluster, and of its pods in these namespaces. What cannot be read fails nothing."""
    found = Versions(images=running_images(pods, namespaces))
    try:
        found = replace(found, nodes=tuple(sorted(map(_node, kubectl.items(Node, "nodes")))))
        if kind_cluster is None:
            return found
        return replace(
            found, engine=_engine_version(), nodes=_with_images(found.nodes, _container_images(kind_cluster))
        )
    except LoadTestError as error:
        return replace(found, problems=(f"not all versions are known: {error.message}",))


def running_images(pods: Iterable[Pod], namespaces: Collection[str]) -> tuple[RunningImage, ...]:
    """Each once, of all containers that run."""
    found = {
        RunningImage(namespace=pod.metadata.namespace, image=status.image, image_id=status.image_id)
        for pod in pods
        if pod.metadata.namespace in namespaces
        for status in pod.status.container_statuses
        if status.image_id
    }
    return tuple(sorted(found))


def _node(node: Node) -> NodeVersions:
    info = node.status.node_info
    return NodeVersions(
        name=node.metadata.name,
        kubelet=info.kubelet_version,
        container_runtime=info.container_runtime_version,
        kernel=info.kernel_version,
    )


def _with_images(
    nodes: Iterable[NodeVersions], images: Mapping[str, tuple[str, str]]
) -> tuple[NodeVersions, ...]:
    return tuple(
        replace(node, image=images[node.name][0], image_id=images[node.name][1])
        if node.name in images
        else node
        for node in nodes
    )


def _engine_version() -> str:
    return _answer("docker", "version", "--format", "{{.Server.Version}}").strip()


def _container_images(cluster: str) -> Mapping[str, tuple[str, str]]:
    """Name and id of each node's image, by the node's name, which is its container's."""
    names = kind.node_containers(cluster, folder=Path())
    lines = _answer("docker", "inspect", "--format", _IMAGE, *names).splitlines() if names else []
    described = (line.split(" ") for line in lines)
    return {name.removeprefix("/"): (image, image_id) for name, image, image_id in described}


def _answer(*words: str) -> str:
    return process.answer(words, folder=Path(), timeout_s=_TIMEOUT_S)
