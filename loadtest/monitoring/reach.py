"""The way to Prometheus: a loopback port the cluster has anyway, or a port-forward while it is needed."""

from collections.abc import Iterator
from contextlib import contextmanager

from loadtest.cluster.kubectl import Kubectl
from loadtest.cluster.port_forward import forwarded_port
from loadtest.monitoring.client import PrometheusClient
from loadtest.target import MonitoringTarget


@contextmanager
def reached(
    monitoring: MonitoringTarget, kubectl: Kubectl, *, timeout_s: float = 5.0, retries: int = 2
) -> Iterator[PrometheusClient]:
    """A client of the stack's Prometheus."""
    with (
        _address(monitoring, kubectl, timeout_s) as address,
        PrometheusClient(f"http://{address}", timeout_s=timeout_s, retries=retries) as client,
    ):
        yield client


@contextmanager
def _address(monitoring: MonitoringTarget, kubectl: Kubectl, timeout_s: float) -> Iterator[str]:
    if monitoring.port is not None:
        yield f"{monitoring.address}:{monitoring.port}"
        return
    with forwarded_port(
        kubectl,
        namespace=monitoring.namespace,
        to=f"service/{monitoring.service}",
        port=monitoring.service_port,
        timeout_s=timeout_s,
    ) as port:
        yield f"127.0.0.1:{port}"
