"""The cluster, from the configuration."""

import re
from pathlib import Path

from infra import versions
from infra.clusters import PROVIDERS
from infra.model import ClusterSettings, ExistingCluster
from infra.parsing.forms import IMAGE, IMAGE_RULE, NAME, NAME_RULE
from infra.paths import ROOT
from infra.reading import Section

_VERSION = re.compile(r"1\.[0-9]{1,3}\.[0-9]{1,3}")
_VERSION_RULE = "a version of Kubernetes with all its three parts, such as 1.34.11"
_NAME_OR_NONE = re.compile(f"({NAME.pattern})?")
_EXISTING = "existing"
_LINE = re.compile(r"[^\x00-\x1f\x7f]{0,1000}")
_LINE_RULE = "a text of one line"
_IMAGE_OR_NONE = re.compile(f"({IMAGE.pattern})?")


def cluster(section: Section, *, stack: str) -> ClusterSettings:
    version = section.text("cluster_kubernetes_version", form=_VERSION, rule=_VERSION_RULE)
    image = section.text("cluster_node_image", form=_IMAGE_OR_NONE, rule=f"empty or {IMAGE_RULE}")
    provider = section.name_in("cluster_provider", PROVIDERS)
    return ClusterSettings(
        provider=provider,
        existing=_existing(section, provider),
        name=_name(section, stack, made=provider != _EXISTING),
        control_planes=section.integer("cluster_control_planes", at_least=1, at_most=9),
        workers=section.integer("cluster_workers", at_least=0, at_most=9),
        kubernetes_version=version,
        node_image=image or node_image(version),
        autoscaling_sync_s=section.integer("cluster_autoscaling_sync_s", at_least=1, at_most=600),
    )


def _name(section: Section, stack: str, *, made: bool) -> str:
    """Two stacks of one project may be up at once: where nothing else is said each has its own."""
    stated = section.text("cluster_name", form=_NAME_OR_NONE, rule=f"empty or {NAME_RULE}")
    name = stated or f"loadproof-{stack}"
    if made and not NAME.fullmatch(name):
        section.problem("cluster_name", f"has to be set: {name}, after the stack, is not {NAME_RULE}")
    return name


def _existing(section: Section, provider: str) -> ExistingCluster | None:
    context = section.text("cluster_context", form=_LINE, rule=_LINE_RULE)
    kubeconfig = section.text("cluster_kubeconfig", form=_LINE, rule=_LINE_RULE)
    if provider != _EXISTING:
        for key, value in (("cluster_context", context), ("cluster_kubeconfig", kubeconfig)):
            if value:
                section.problem(key, f"is set, it is of use with cluster_provider {_EXISTING} alone")
        return None
    if not context:
        section.problem("cluster_context", "is not set: `kubectl config get-contexts` lists those there are")
    return ExistingCluster(context=context, kubeconfig=_path(kubeconfig) if kubeconfig else None)


def _path(text: str) -> Path:
    return ROOT / Path(text).expanduser()


def node_image(kubernetes_version: str) -> str:
    """The pinned version has an image with the stack's own images in it; others have kind's."""
    if kubernetes_version == versions.version("node-image"):
        return versions.image("loadproof/node")
    return f"kindest/node:v{kubernetes_version}"
