"""What controllers installed by a Helm chart share: a namespace of their own and a release in it.

Leaves out what a controller is told: its values. A chart's own kinds are not installed, plain Ingress objects
need none.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from infra import versions
from infra.ingress.contract import IngressArgs
from infra.naming import Naming
from infra.paths import CHARTS

# Right answers from every host decide; a readiness probe only has to follow them quickly.
READY_AT_ONCE = {"initialDelaySeconds": 0, "periodSeconds": 1}
RESOURCES = {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}}
POD_SECURITY_CONTEXT = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}

_CONTROL_PLANE = {"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"}


@dataclass(frozen=True, kw_only=True)
class Chart:
    """`component` ends the component's type token; `name` is that of the chart's folder, without a prefix.

    `service_suffix` is what the chart adds to the release's name to name its Service; `values` makes what it
    is told from what the stack asks for and its image.
    """

    component: str
    name: str
    class_name: str
    service_suffix: str
    image: str
    values: Callable[[IngressArgs, str], Mapping[str, Any]]


class ChartIngress(pulumi.ComponentResource):
    """Meets `infra.ingress.contract.Ingress`."""

    namespace: str
    service: str
    service_port = 80
    class_name: str
    chart_version: str
    image: str
    release: kubernetes.helm.v3.Release

    def __init__(self, name: str, chart: Chart, args: IngressArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__(f"loadproof:ingress:{chart.component}", name, None, opts)
        self._chart = chart
        self.namespace = args.naming.name(chart.name)
        self.service = self.namespace + chart.service_suffix
        self.class_name = args.naming.name(chart.class_name)
        self.image = versions.image(chart.image)
        self.chart_version = versions.chart_version(chart.name)
        self.release = self._release(name, args, self._namespace(args.naming).metadata.name)
        self.register_outputs({"release": self.release.name})

    def _namespace(self, naming: Naming) -> kubernetes.core.v1.Namespace:
        return kubernetes.core.v1.Namespace(
            self._chart.name,
            metadata={"name": self.namespace, "labels": naming.namespace_labels},
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _release(
        self, name: str, args: IngressArgs, namespace: pulumi.Input[str]
    ) -> kubernetes.helm.v3.Release:
        return kubernetes.helm.v3.Release(
            name,
            name=self.namespace,  # charts name what is in no namespace after the release
            chart=f"{CHARTS}/{self._chart.name}",
            namespace=namespace,
            values=self._chart.values(args, self.image),
            skip_await=True,
            skip_crds=True,
            # The chart is pinned and the API server checks what it gets: this would cost a third of a second.
            disable_openapi_validation=True,
            # Its name is fixed: another release of it cannot be made beside it.
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )


def placement_values(args: IngressArgs) -> Mapping[str, Any]:
    """Charts agree on how to say where pods may run."""
    return {
        "nodeSelector": dict(args.node_labels),
        # The node whose ports are mapped is a control plane.
        "tolerations": [_CONTROL_PLANE] if args.node_labels else [],
    }
