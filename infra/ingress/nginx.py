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
from infra.paths import CHARTS

_METRICS_PORT = 10254
_READY_AT_ONCE = {"initialDelaySeconds": 0, "periodSeconds": 1}


class NginxIngress(pulumi.ComponentResource):
    """Meets `infra.ingress.contract.Ingress`."""

    namespace = "ingress-nginx"
    class_name = "nginx"
    chart_version: str
    image: str
    release: kubernetes.helm.v3.Release

    def __init__(self, name: str, args: IngressArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("loadproof:ingress:NginxIngress", name, None, opts)
        self.chart_version = versions.version("chart-ingress-nginx")
        self.image = versions.image("registry.k8s.io/ingress-nginx/controller")
        namespace = self._namespace()
        self.release = self._release(name, args, namespace.metadata.name)
        self.register_outputs({"release": self.release.name})

    def _namespace(self) -> kubernetes.core.v1.Namespace:
        return kubernetes.core.v1.Namespace(
            self.namespace,
            metadata={"name": self.namespace, "labels": labels.pod_security_restricted()},
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _release(
        self, name: str, args: IngressArgs, namespace: pulumi.Input[str]
    ) -> kubernetes.helm.v3.Release:
        return kubernetes.helm.v3.Release(
            name,
            name="ingress-nginx",
            chart=f"{CHARTS}/ingress-nginx",
            namespace=namespace,
            values=nginx_values(args, image=self.image),
            skip_await=True,
            # The chart is pinned and the API server checks what it gets: this would cost a third of a second.
            disable_openapi_validation=True,
            # Its name is fixed: another release of it cannot be made beside it.
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )


def nginx_values(args: IngressArgs, *, image: str) -> Mapping[str, Any]:
    """The chart's values: one controller on the marked node, plain HTTP at the node port, metrics scraped."""
    return {
        "controller": {
            "image": _image_values(image),
            "replicaCount": 1,
            "nodeSelector": dict(args.node_labels),
            "tolerations": [{"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"}],
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
        }
    }


def _image_values(image: str) -> Mapping[str, str]:
    repository, _, tag = image.rpartition(":")
    registry, _, name = repository.partition("/")
    # The chart's own digest is that of the registry's image; an image built from sources has another one.
    return {"registry": registry, "image": name, "tag": tag, "digest": "", "pullPolicy": "IfNotPresent"}


def _service_values(node_port: int) -> Mapping[str, Any]:
    return {
        "type": "NodePort",
        "nodePorts": {"http": node_port},
        "enableHttps": False,
        "annotations": dict(labels.SKIP_AWAIT),
        # The node that takes the traffic runs the controller: no second hop, no rewritten source.
        "externalTrafficPolicy": "Local",
    }
