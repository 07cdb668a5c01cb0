"""What a cluster runs, as it says itself and not as it was asked for: nodes, and the images of pods.

An image's name may come to mean another image, its id may not. Leaves out asking: see `cluster.versions`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, order=True)
class NodeVersions:
    """`image` and `image_id` are of the container that the node is; None: it is none of this machine."""

    name: str
    kubelet: str
    container_runtime: str
    kernel: str
    image: str | None = None
    image_id: str | None = None


@dataclass(frozen=True, kw_only=True, order=True)
class RunningImage:
    """`image` is the name by which a container asked for it, `image_id` what its node took for that."""

    namespace: str
    image: str
    image_id: str


@dataclass(frozen=True, kw_only=True)
class Versions:
    """`engine` is the version of this machine's container engine; None: the cluster is not on it.

    `problems` says in words what could not be found out.
    """

    engine: str | None = None
    nodes: tuple[NodeVersions, ...] = ()
    images: tuple[RunningImage, ...] = ()
    problems: tuple[str, ...] = ()
