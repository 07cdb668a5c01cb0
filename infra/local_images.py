"""Images that a stack names, that this machine's container engine has and its nodes lack: those are loaded.

So gets in what no registry has, such as an image built a moment ago. An image that the engine has not is left
to the nodes, which pull it.
"""

import json
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from typing import Any

from infra import versions
from infra.clusters.contract import LocalImage
from infra.ingress import CONTROLLERS
from infra.model import StackSettings
from infra.needs import needs

# A label of the node image: what it has in it, as `reference=id` with the ids of the engine it was made by.
_BAKED = "loadproof.images"
_FORMAT = '{"tags": {{json .RepoTags}}, "id": {{json .Id}}, "labels": {{json .Config.Labels}}}'
_ASK_ENGINE_S = 10
# These run beside the cluster's nodes or as them, not in them.
_OUTSIDE = frozenset({"node-image", "image-load-balancer"})


def local_images(settings: StackSettings) -> tuple[LocalImage, ...]:
    """What is to be loaded into the stack's nodes as this machine stands."""
    if settings.cluster.existing:
        return ()  # its nodes are not ours
    named = images_of(settings)
    ids = ids_beside(settings.cluster.node_image, named)
    return tuple(
        LocalImage(reference=reference, image_id=ids[reference], on_ingress_node=on_ingress_node)
        for reference, on_ingress_node in named.items()
        if reference in ids
    )


def images_of(settings: StackSettings) -> Mapping[str, bool]:
    """Every image that may run in the stack's nodes, and whether on the ingress' own alone. Pure."""
    of_controller = CONTROLLERS[settings.ingress.controller].parts
    of_parts = {
        reference: part in of_controller
        for part in needs(settings).parts
        if part not in _OUTSIDE and (reference := versions.image_of_part(part))
    }
    return of_parts | {app.image: False for app in settings.apps}


def ids_beside(node_image: str, references: Iterable[str]) -> Mapping[str, str]:
    """The ids of those images that the engine has, and that are not in the node image as they are."""
    wanted = tuple(references)
    found = {tag: image for image in _inspected((node_image, *wanted)) for tag in image["tags"] or ()}
    labels = found.get(node_image, {}).get("labels") or {}
    baked = labels.get(_BAKED, "").split()
    ids = {reference: found[_tag(reference)]["id"] for reference in wanted if _tag(reference) in found}
    return {reference: id_ for reference, id_ in ids.items() if f"{_tag(reference)}={id_}" not in baked}


def _inspected(references: tuple[str, ...]) -> list[dict[str, Any]]:
    """Those that the engine has; none where no engine answers, for a preview needs none."""
    docker = shutil.which("docker")
    if docker is None:
        return []
    try:
        # It ends with an error where it lacks one of them, and prints the others.
        done = subprocess.run(
            [docker, "image", "inspect", "--format", _FORMAT, *references],
            capture_output=True,
            text=True,
            timeout=_ASK_ENGINE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return []
    return [json.loads(line) for line in done.stdout.splitlines() if line]


def _tag(reference: str) -> str:
    """An image's name as the engine lists it: without what goes without saying."""
    return reference.removeprefix("docker.io/").removeprefix("library/")
