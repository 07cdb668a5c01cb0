"""Images that a stack names, that this machine's container engine has and its nodes lack: those are loaded.

So gets in what no registry has, such as an image built a moment ago. An image that the engine has not is left
to the nodes, which pull it. One that has the very name of an image in the node image is taken for that.
"""

import json
import shutil
import subprocess
from collections.abc import Mapping

from infra import versions
from infra.clusters.contract import LocalImage
from infra.ingress import CONTROLLERS
from infra.model import StackSettings
from infra.needs import needs

_FORMAT = '{"tags": {{json .RepoTags}}, "id": {{json .Id}}}'
_ASK_ENGINE_S = 10
# These run beside the cluster's nodes or as them, not in them.
_OUTSIDE = frozenset({"node-image", "image-envoy"})


def local_images(settings: StackSettings) -> tuple[LocalImage, ...]:
    """What is to be loaded into the stack's nodes as this machine stands."""
    named = images_to_load(settings)
    ids = _ids(tuple(named))
    return tuple(
        LocalImage(reference=reference, image_id=ids[reference], on_ingress_node=on_ingress_node)
        for reference, on_ingress_node in named.items()
        if reference in ids
    )


def images_to_load(settings: StackSettings) -> Mapping[str, bool]:
    """The images that the stack's nodes need and lack, and whether on the ingress' own alone. Pure."""
    if settings.cluster.existing:
        return {}  # its nodes are not ours
    of_controller = CONTROLLERS[settings.ingress.controller].parts
    of_parts = {
        reference: part in of_controller
        for part in needs(settings).parts
        if part not in _OUTSIDE and (reference := versions.image_of_part(part))
    }
    named = of_parts | {app.image: False for app in settings.apps}
    pinned = settings.cluster.node_image == versions.image("loadproof/node")
    there = versions.images_in_node_image() if pinned else frozenset()
    return {reference: place for reference, place in named.items() if _tag(reference) not in there}


def _ids(references: tuple[str, ...]) -> Mapping[str, str]:
    """The ids of those images that the engine has; none where no engine answers, for a preview needs none."""
    docker = shutil.which("docker")
    if docker is None or not references:
        return {}
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
        return {}
    found = [json.loads(line) for line in done.stdout.splitlines() if line]
    ids = {tag: image["id"] for image in found for tag in image["tags"] or ()}
    return {reference: ids[_tag(reference)] for reference in references if _tag(reference) in ids}


def _tag(reference: str) -> str:
    """An image's name as the engine lists it: without what goes without saying."""
    return reference.removeprefix("docker.io/").removeprefix("library/")
