"""What a stack asks of an ingress controller and what every one gives: the rest need not know which it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class IngressArgs:
    """`node_port` is where the nodes take plain HTTP; `node_labels` mark the nodes it may run on."""

    node_port: int
    node_labels: Mapping[str, str]


class Ingress(Protocol):
    """`chart_version` and `image` say what runs, for the report; all is known before anything is created."""

    namespace: str
    class_name: str
    chart_version: str
    image: str
