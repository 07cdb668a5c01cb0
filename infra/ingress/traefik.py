"""Traefik by its chart: plain Ingress objects of a class of its own.

Leaves out its custom resources, its dashboard and TLS. Its `/ping` says that it runs, not that it routes:
whoever needs to know that asks for right answers. All classes of Traefik name the same controller: in a
cluster with another one that was told no class, that one answers to this one's Ingresses too.
"""

from collections.abc import Mapping
from typing import Any

from infra import labels
from infra.ingress.chart import POD_SECURITY_CONTEXT, READY_AT_ONCE, RESOURCES, Chart, placement_values
from infra.ingress.contract import IngressArgs

_NAME = "traefik"


def traefik_values(args: IngressArgs, image: str) -> Mapping[str, Any]:
    """The chart's values: one controller on the marked node, plain HTTP at the node port, metrics scraped."""
    return {
        "commonLabels": args.naming.labels,
        "image": _image_values(image),
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "deployment": {"replicas": 1},
        **placement_values(args),
        **_class_values(args.naming.name(_NAME)),
        # New routes reach the data plane within 0.1 s instead of 2 s.
        "additionalArguments": ["--providers.providersThrottleDuration=100ms"],
        "api": {"dashboard": False},
        **_service_values(args.node_port),
        # The chart then marks its pods for Prometheus by itself.
        "metrics": {"prometheus": {"entryPoint": "metrics"}},
        "readinessProbe": READY_AT_ONCE,
        "podSecurityContext": POD_SECURITY_CONTEXT,
        "resources": RESOURCES,
    }


def _image_values(image: str) -> Mapping[str, str]:
    repository, _, tag = image.rpartition(":")
    return {"registry": "docker.io", "repository": repository, "tag": tag, "pullPolicy": "IfNotPresent"}


def _class_values(name: str) -> Mapping[str, Any]:
    return {
        "ingressClass": {"enabled": True, "isDefaultClass": False, "name": name},
        "providers": {
            "kubernetesCRD": {"enabled": False},
            "kubernetesIngress": {
                "enabled": True,
                "ingressClass": name,
                "publishedService": {"enabled": False},
            },
        },
    }


def _service_values(node_port: int | None) -> Mapping[str, Any]:
    plain = {"type": "ClusterIP", "annotations": dict(labels.SKIP_AWAIT)}
    no_tls = {"websecure": {"expose": {"default": False}}}
    if node_port is None:
        return {"service": plain, "ports": no_tls}
    # The node that takes the traffic runs the controller: no second hop, no rewritten source.
    spec = {"externalTrafficPolicy": "Local"}
    return {
        "service": {**plain, "type": "NodePort", "spec": spec},
        "ports": {**no_tls, "web": {"nodePort": node_port}},
    }


TRAEFIK = Chart(
    component="TraefikIngress",
    name=_NAME,
    class_name=_NAME,
    service_suffix="",
    image=_NAME,
    values=traefik_values,
)
