"""The cluster, from the configuration."""

import re

from infra import versions
from infra.clusters import PROVIDERS
from infra.model import ClusterSettings
from infra.parsing.forms import IMAGE, IMAGE_RULE, NAME, NAME_RULE
from infra.reading import Section

_VERSION = re.compile(r"1\.[0-9]{1,3}\.[0-9]{1,3}")
_VERSION_RULE = "a version of Kubernetes with all its three parts, such as 1.34.11"
_NAME_OR_NONE = re.compile(f"({NAME.pattern})?")
_IMAGE_OR_NONE = re.compile(f"({IMAGE.pattern})?")


def cluster(section: Section, *, stack: str) -> ClusterSettings:
    version = section.text("cluster_kubernetes_version", form=_VERSION, rule=_VERSION_RULE)
    image = section.text("cluster_node_image", form=_IMAGE_OR_NONE, rule=f"empty or {IMAGE_RULE}")
    return ClusterSettings(
        provider=section.name_in("cluster_provider", PROVIDERS),
        name=_name(section, stack),
        control_planes=section.integer("cluster_control_planes", at_least=1, at_most=9),
        workers=section.integer("cluster_workers", at_least=0, at_most=9),
        kubernetes_version=version,
        node_image=image or node_image(version),
        autoscaling_sync_s=section.integer("cluster_autoscaling_sync_s", at_least=1, at_most=600),
    )


def _name(section: Section, stack: str) -> str:
    """Two stacks of one project may be up at once: where nothing else is said each has its own."""
    stated = section.text("cluster_name", form=_NAME_OR_NONE, rule=f"empty or {NAME_RULE}")
    name = stated or f"loadproof-{stack}"
    if not NAME.fullmatch(name):
        section.problem("cluster_name", f"has to be set: {name}, after the stack, is not {NAME_RULE}")
    return name


def node_image(kubernetes_version: str) -> str:
    """The pinned version has an image with the stack's own images in it; others have kind's."""
    if kubernetes_version == versions.version("node-image"):
        return versions.image("loadproof/node")
    return f"kindest/node:v{kubernetes_version}"
