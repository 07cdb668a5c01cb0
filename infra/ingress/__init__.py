"""What carries the traffic in: one row for each name that a stack's `ingress_controller` may have."""

from collections.abc import Callable, Mapping

import pulumi

from infra.ingress.contract import Ingress, IngressArgs
from infra.ingress.nginx import NginxIngress

CONTROLLERS: Mapping[str, Callable[[str, IngressArgs, pulumi.ResourceOptions], Ingress]] = {
    "nginx": NginxIngress
}
