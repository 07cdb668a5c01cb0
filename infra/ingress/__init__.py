"""What carries the traffic in: one row for each name that a stack's `ingress_controller` may have.

Pure: reading a configuration needs the names, and must not wait for Pulumi's packages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.ingress.contract import Ingress, IngressArgs

if TYPE_CHECKING:
    import pulumi


@dataclass(frozen=True, kw_only=True)
class Controller:
    """`parts` are those of toolchain/pins.toml that only a stack with this controller needs.

    `takes_certificate` says that it can answer over TLS and over plain HTTP at once.
    """

    make: Callable[[str, IngressArgs, pulumi.ResourceOptions], Ingress]
    parts: tuple[str, ...]
    takes_certificate: bool = False


def _nginx(name: str, args: IngressArgs, opts: pulumi.ResourceOptions) -> Ingress:
    from infra.ingress.chart import ChartIngress
    from infra.ingress.nginx import NGINX

    return ChartIngress(name, NGINX, args, opts)


def _traefik(name: str, args: IngressArgs, opts: pulumi.ResourceOptions) -> Ingress:
    from infra.ingress.chart import ChartIngress
    from infra.ingress.traefik import TRAEFIK

    return ChartIngress(name, TRAEFIK, args, opts)


CONTROLLERS: Mapping[str, Controller] = {
    "nginx": Controller(make=_nginx, parts=("chart-ingress-nginx",), takes_certificate=True),
    "traefik": Controller(make=_traefik, parts=("chart-traefik", "image-traefik")),
}
