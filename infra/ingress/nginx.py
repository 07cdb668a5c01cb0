"""ingress-nginx by its upstream chart, in a namespace of its own.

Leaves out the admission webhook: it is known to refuse Ingresses for up to two minutes after a start, and
what it would check is in this project's own types. Leaves out TLS: the load goes over plain HTTP.
"""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from infra import labels, versions
from infra.ingress.contract import IngressArgs
from infra.naming import Naming
from infra.paths import CHARTS

_NAME = "ingress-nginx"
_METRICS_PORT = 10254
_CONTROL_PLANE = {"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"}
_READY_AT_ONCE = {"initialDelaySeconds": 0, "periodSeconds": 1}


class NginxIngress(pulumi.ComponentResource):
    """Meets `infra.ingress.contract.Ingress`."""

    namespace: str
    service: str
    class_name: str
    chart_version: str
    image: str
    release: kubernetes.helm.v3.Release

    def __init__(self, name: str, args: IngressArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("loadproof:ingress:NginxIngress", name, None, opts)
        self._args = args
        self.namespace = args.naming.name(_NAME)
        self.service = f"{self.namespace}-controller"
        self.class_name = args.naming.name("nginx")
        self.chart_version = versions.version("chart-ingress-nginx")
        self.image = versions.image("registry.k8s.io/ingress-nginx/controller")
        namespace = self._namespace()
        self.release = self._release(name, namespace.metadata.name)
        self.register_outputs({"release": self.release.name})

    def _namespace(self) -> kubernetes.core.v1.Namespace:
        return kubernetes.core.v1.Namespace(
            _NAME,
            metadata={"name": self.namespace, "labels": self._args.naming.namespace_labels},
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _release(self, name: str, namespace: pulumi.Input[str]) -> kubernetes.helm.v3.Release:
        return kubernetes.helm.v3.Release(
            name,
            name=self.namespace,  # the chart names what is in no namespace after the release
            chart=f"{CHARTS}/ingress-nginx",
            namespace=namespace,
            values=nginx_values(self._args, image=self.image),
            skip_await=True,
            # The chart is pinned and the API server checks what it gets: this would cost a third of a second.
            disable_openapi_validation=True,
            # Its name is fixed: another release of it cannot be made beside it.
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )


def nginx_values(args: IngressArgs, *, image: str) -> Mapping[str, Any]:
    """The chart's values: one controller on the marked node, plain HTTP at the node port, metrics scraped."""
    return {
        "commonLabels": args.naming.labels,
        "controller": {
            "image": _image_values(image),
            "replicaCount": 1,
            **_class_values(args.naming),
            "nodeSelector": dict(args.node_labels),
            "tolerations": [_CONTROL_PLANE] if args.node_labels else [],
            "admissionWebhooks": {"enabled": False},
            "publishService": {"enabled": False},
            "service": _service_values(args.node_port),
            "metrics": {"enabled": True, "port": _METRICS_PORT},
            "podAnnotations": labels.scraped(_METRICS_PORT),
            "readinessProbe": _READY_AT_ONCE,
            # New routes reach the data plane within 0.1 s instead of 3 s; at rest nothing is synced at all.
            "extraArgs": {"sync-rate-limit": "10"},
            "resources": {
                "requests": {"cpu": "100m", "memory": "128Mi"},
                "limits": {"memory": "512Mi"},
            },
        },
    }


def _class_values(naming: Naming) -> Mapping[str, Any]:
    """A class of its own: a controller of the same make that is there already is not to answer to it."""
    return {
        "ingressClassResource": {
            "name": naming.name("nginx"),
            "controllerValue": f"k8s.io/{naming.name(_NAME)}",
        },
        "scope": {"namespaceSelector": naming.selector},
    }


def _image_values(image: str) -> Mapping[str, str]:
    repository, _, tag = image.rpartition(":")
    registry, _, name = repository.partition("/")
    # The chart's own digest is that of the registry's image; an image built from sources has another one.
    return {"registry": registry, "image": name, "tag": tag, "digest": "", "pullPolicy": "IfNotPresent"}


def _service_values(node_port: int | None) -> Mapping[str, Any]:
    if node_port is None:
        return {"type": "ClusterIP", "enableHttps": False, "annotations": dict(labels.SKIP_AWAIT)}
    return {
        "type": "NodePort",
        "nodePorts": {"http": node_port},
        "enableHttps": False,
        "annotations": dict(labels.SKIP_AWAIT),
        # The node that takes the traffic runs the controller: no second hop, no rewritten source.
        "externalTrafficPolicy": "Local",
    }
