"""The way to an ingress that has no port of its own on this machine: a tunnel, for health and load alike.

Leaves out what it costs: all that goes through it is measured with it, and the report says so.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from loadtest.cluster.kubectl import kubectl_for
from loadtest.cluster.port_forward import forwarded_port
from loadtest.errors import MonitoringError
from loadtest.health.checks import Check
from loadtest.target import TargetEnvironment


@contextmanager
def way_to_ingress(target: TargetEnvironment) -> Iterator[Sequence[Check]]:
    """What has to pass before the ingress is asked: it opens the way, which stays open within."""
    with ExitStack() as opened:
        yield [Tunnel(target=target, opened=opened)] if target.ingress.tunnelled else []


@dataclass(frozen=True, kw_only=True)
class Tunnel:
    target: TargetEnvironment
    opened: ExitStack = field(repr=False)
    name: str = "tunnel"

    def obstacle(self, timeout_s: float) -> str | None:
        ingress = self.target.ingress
        forward = forwarded_port(
            kubectl_for(self.target.cluster),
            namespace=ingress.namespace,
            to=f"service/{ingress.service}",
            port=ingress.service_port,
            local_port=ingress.port,
            timeout_s=timeout_s,
        )
        try:
            self.opened.enter_context(forward)
        except MonitoringError as error:
            return error.message
        return None
