"""ingress-nginx by its upstream chart, in a namespace of its own.

Leaves out the admission webhook: it is known to refuse Ingresses for up to two minutes after a start, and
what it would check is in this project's own types. Leaves out TLS: the load goes over plain HTTP.
"""

from collections.abc import Mapping
from typing import Any

from infra import labels
from infra.ingress.chart import POD_SECURITY_CONTEXT, READY_AT_ONCE, RESOURCES, Chart, placement_values
from infra.ingress.contract import IngressArgs
from infra.naming import Naming

_CHART = "ingress-nginx"
_CLASS = "nginx"


def nginx_values(args: IngressArgs, image: str) -> Mapping[str, Any]:
    """The chart's values: one controller on the marked node, plain HTTP at the node port."""
    return {
        "commonLabels": args.naming.labels,
        "controller": {
            "image": _image_values(image),
            "replicaCount": 1,
            **_class_values(args.naming),
            **placement_values(args),
            "admissionWebhooks": {"enabled": False},
            "publishService": {"enabled": False},
            "service": _service_values(args),
            # Nothing here reads them, every request would cost CPU for them, and in its first five seconds
            # the controller answers nobody who asks for them.
            "metrics": {"enabled": False},
            # A worker with connections open would hold up the end of its namespace for minutes.
            "config": {"worker-shutdown-timeout": "5s", **_plain_beside_tls(args)},
            "terminationGracePeriodSeconds": 10,
            "readinessProbe": READY_AT_ONCE,
            "podSecurityContext": POD_SECURITY_CONTEXT,
            # At its end it would wait ten seconds for nobody. Its one sync in 3.3 s stays: its workers tell
            # two changes apart by the second they came in, and may miss the later of two in one second.
            # At 2 its log says when it has told them of one, which is what a run waits for.
            "extraArgs": {"post-shutdown-grace-period": "0", "v": "2"},
            "resources": RESOURCES,
        },
    }


def _class_values(naming: Naming) -> Mapping[str, Any]:
    """A class of its own: a controller of the same make that is there already is not to answer to it."""
    return {
        "ingressClassResource": {
            "name": naming.name(_CLASS),
            "controllerValue": f"k8s.io/{naming.name(_CHART)}",
        },
        "scope": {"namespaceSelector": naming.selector},
    }


def _image_values(image: str) -> Mapping[str, str]:
    repository, _, tag = image.rpartition(":")
    registry, _, name = repository.partition("/")
    # The chart's own digest is that of the registry's image; an image built from sources has another one.
    return {"registry": registry, "image": name, "tag": tag, "digest": "", "pullPolicy": "IfNotPresent"}


def _plain_beside_tls(args: IngressArgs) -> Mapping[str, str]:
    """Without being told, it sends whoever asks in plain to TLS; the load is sent in plain."""
    return {"ssl-redirect": "false"} if args.tls else {}


def _service_values(args: IngressArgs) -> Mapping[str, Any]:
    values = {"enableHttps": args.tls, "annotations": dict(labels.SKIP_AWAIT)}
    if args.node_port is None:
        return {**values, "type": "ClusterIP"}
    return {
        **values,
        "type": "NodePort",
        "nodePorts": {"http": args.node_port},
        # The node that takes the traffic runs the controller: no second hop, no rewritten source.
        "externalTrafficPolicy": "Local",
    }


NGINX = Chart(
    component="NginxIngress",
    name=_CHART,
    class_name=_CLASS,
    service_suffix="-controller",
    image="registry.k8s.io/ingress-nginx/controller",
    values=nginx_values,
)
