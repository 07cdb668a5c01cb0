"""Which series are asked for, and which scope each belongs to: names and label rules, no network.

Everything comes from the kubelets' cAdvisor. Running pods are counted from `container_last_seen`: it is the
one row of a container that has a new timestamp at every scrape, so its absence means the container is gone.
Network counters exist once a pod, on the sandbox's row; a pod on its node's own network shows the node's
traffic there, which is not the pod's, and is left out by name.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import Enum

from loadtest.cluster.objects import Pod, PodName
from loadtest.monitoring.model import CLUSTER_SCOPE
from loadtest.target import AppTarget, IngressTarget

INGRESS_SCOPE = "ingress"

# How far back readings are fetched before the window: an idle container is read every 15 to 30 s.
LOOKBACK_S = 40.0

Labels = Mapping[str, str]

# Rows of real containers: those without a container label repeat them for the whole pod.
_CONTAINERS = 'container!="",container!="POD",pod!=""'
_PODS = 'pod!="",interface!="lo"'


class Metric(Enum):
    """Each with the selector of its rows."""

    CPU_SECONDS = f"container_cpu_usage_seconds_total{{{_CONTAINERS}}}"
    MEMORY_BYTES = f"container_memory_working_set_bytes{{{_CONTAINERS}}}"
    RECEIVED_BYTES = f"container_network_receive_bytes_total{{{_PODS}}}"
    TRANSMITTED_BYTES = f"container_network_transmit_bytes_total{{{_PODS}}}"
    LAST_SEEN = f"container_last_seen{{{_CONTAINERS}}}"
    CPU_PERIODS = f"container_cpu_cfs_periods_total{{{_CONTAINERS}}}"
    CPU_THROTTLED_PERIODS = f"container_cpu_cfs_throttled_periods_total{{{_CONTAINERS}}}"
    CPU_THROTTLED_SECONDS = f"container_cpu_cfs_throttled_seconds_total{{{_CONTAINERS}}}"
    CPU_STALLED_SECONDS = f"container_pressure_cpu_waiting_seconds_total{{{_CONTAINERS}}}"
    MEMORY_STALLED_SECONDS = f"container_pressure_memory_waiting_seconds_total{{{_CONTAINERS}}}"
    IO_STALLED_SECONDS = f"container_pressure_io_waiting_seconds_total{{{_CONTAINERS}}}"


NETWORK = (Metric.RECEIVED_BYTES, Metric.TRANSMITTED_BYTES)
THROTTLING = (Metric.CPU_PERIODS, Metric.CPU_THROTTLED_PERIODS, Metric.CPU_THROTTLED_SECONDS)
STALLED = {
    "cpu": Metric.CPU_STALLED_SECONDS,
    "memory": Metric.MEMORY_STALLED_SECONDS,
    "io": Metric.IO_STALLED_SECONDS,
}
# What every container has, or its pod: throttling is of those with a limit, stalls not every kernel tells.
OF_EVERY_CONTAINER = tuple(one for one in Metric if one not in (*THROTTLING, *STALLED.values()))


def raw_readings(metric: Metric, reach_s: float) -> str:
    """The query for every reading of the last `reach_s` seconds, as it was scraped."""
    return f"{metric.value}[{round(reach_s * 1000)}ms]"


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What a figure is of. `host` is the app's own; None for scopes that serve all hosts."""

    name: str
    host: str | None
    holds: Callable[[Labels], bool]


def scopes_of(apps: Collection[AppTarget], ingress: IngressTarget) -> tuple[Scope, ...]:
    return (
        *(Scope(name=app.name, host=app.host, holds=pods_of(app)) for app in apps),
        Scope(
            name=INGRESS_SCOPE, host=None, holds=lambda labels: labels.get("namespace") == ingress.namespace
        ),
        Scope(name=CLUSTER_SCOPE, host=None, holds=lambda labels: True),
    )


def pods_of(app: AppTarget) -> Callable[[Labels], bool]:
    """Pods of the app's Deployment: its name, the hash of its form, a random end."""
    letters = "[bcdfghjklmnpqrstvwxz2456789]"  # what Kubernetes makes such names of
    pattern = re.compile(rf"{re.escape(app.name)}-{letters}{{1,10}}-{letters}{{5}}")
    return lambda labels: (
        labels.get("namespace") == app.namespace and pattern.fullmatch(labels.get("pod", "")) is not None
    )


def labels_of(pod: Pod) -> dict[str, str]:
    """Those that every row of the pod has."""
    return {"namespace": pod.metadata.namespace, "pod": pod.metadata.name}


def pod_name(labels: Labels) -> PodName:
    return labels.get("namespace", ""), labels.get("pod", "")
