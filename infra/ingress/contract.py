"""What a stack asks of an ingress controller and what every one gives: the rest need not know which it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from infra.naming import Naming


@dataclass(frozen=True, kw_only=True)
class IngressArgs:
    """`node_port` is where the nodes take plain HTTP, None where only the service does.

    `tls` asks for HTTPS beside it, at port 443 of the service.

    `node_labels` mark the nodes it may run on; where there are none, any may do.
    """

    naming: Naming
    node_port: int | None
    node_labels: Mapping[str, str]
    tls: bool = False


class Ingress(Protocol):
    """`service` of `namespace` takes plain HTTP in the cluster, at `service_port`.

    `chart_version` and `image` say what runs, for the report; all is known before anything is created.
    """

    namespace: str
    service: str
    service_port: int
    class_name: str
    chart_version: str
    image: str
