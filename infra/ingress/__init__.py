"""What carries the traffic in: one row for each name that a stack's `ingress_controller` may have.

Pure: reading a configuration needs the names, and must not wait for Pulumi's packages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from infra.ingress.contract import Ingress, IngressArgs

if TYPE_CHECKING:
    import pulumi


def _nginx(name: str, args: IngressArgs, opts: pulumi.ResourceOptions) -> Ingress:
    from infra.ingress.nginx import NginxIngress

    return NginxIngress(name, args, opts)


CONTROLLERS: Mapping[str, Callable[[str, IngressArgs, pulumi.ResourceOptions], Ingress]] = {"nginx": _nginx}
