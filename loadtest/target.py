"""What is to be tested and where it answers: the one contract between the Pulumi program and this package.

`TargetEnvironment` is read from the stack's outputs and from nothing else. Leaves out how the
stack came to be; `infra.outputs` writes what is read here, and a contract test holds the two together.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

from loadtest.chaos.model import ChaosEvent
from loadtest.errors import DeployError
from loadtest.load_options import LoadOptions
from loadtest.slo import Objective
from loadtest.slo_metrics import METRICS
from loadtest.validity import Thresholds

SCHEMA_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class ClusterTarget:
    provider: str
    name: str
    context: str  # kubeconfig context
    namespaces: tuple[str, ...] | None = None  # that may be looked into; None: all
    kubeconfig_path: str | None = None  # None: where kubectl looks for it
    nodes: int | None = None  # None: not made for this stack
    kubernetes_version: str | None = None


@dataclass(frozen=True, kw_only=True)
class IngressTarget:
    """Clients connect to `address:port` and send the app's name as Host: no name is ever resolved.

    Where it is `tunnelled`, a tunnel to the `service` has to be there for that. With a `certificate_secret`,
    which is in the apps' namespace, the service answers over TLS as well, at port 443.
    """

    controller: str
    namespace: str
    service: str
    service_port: int
    tunnelled: bool
    address: str
    port: int
    chart_version: str
    image: str
    certificate_secret: str | None = None


@dataclass(frozen=True, kw_only=True)
class AutoscalerTarget:
    """How many replicas an app may have; `target_cpu_percent` is of what each of them requests."""

    min_replicas: int
    max_replicas: int
    target_cpu_percent: int
    scale_up_stabilization_s: int


@dataclass(frozen=True, kw_only=True)
class AppTarget:
    """With an autoscaler `replicas` is the fewest there are, else the only number."""

    name: str
    namespace: str
    host: str
    path: str
    expected_body: str  # compared after surrounding white space is dropped
    replicas: int
    image: str
    autoscaler: AutoscalerTarget | None = None


@dataclass(frozen=True, kw_only=True)
class GrafanaTarget:
    """`path` is that of the dashboard; whether anything answers there is not said."""

    namespace: str
    address: str
    port: int
    path: str


@dataclass(frozen=True, kw_only=True)
class MonitoringTarget:
    """`port` is a loopback port of the cluster, or None: then the service is reached by port-forward."""

    namespace: str
    service: str
    service_port: int
    address: str
    port: int | None = None
    scrape_interval_s: float
    grafana: GrafanaTarget | None = None


@dataclass(frozen=True, kw_only=True)
class LoadPodsTarget:
    """Where and of what image pods are made that send load; the namespace is there only while they are."""

    namespace: str
    namespace_labels: dict[str, str]
    image: str


@dataclass(frozen=True, kw_only=True)
class TargetEnvironment:
    schema_version: int
    cluster: ClusterTarget
    ingress: IngressTarget
    apps: tuple[AppTarget, ...]
    monitoring: MonitoringTarget
    load: LoadOptions
    load_pods: LoadPodsTarget
    slo: tuple[Objective, ...]
    validity: Thresholds
    chaos: tuple[ChaosEvent, ...] = ()


def parse_target(outputs: dict[str, Any]) -> TargetEnvironment:
    """The target a stack's outputs describe.

    Raises DeployError where they do not fit.
    """
    if "schema_version" not in outputs:
        raise DeployError(
            "the stack has no outputs: it is not deployed, or its deployment failed",
            hint="`pulumi up` deploys it and says what went wrong.",
        )
    if outputs["schema_version"] != SCHEMA_VERSION:
        raise DeployError(
            f"the stack's outputs have schema version {outputs['schema_version']!r}, "
            f"this version reads {SCHEMA_VERSION}",
            hint="`pulumi up` writes outputs that fit.",
        )
    try:
        target = msgspec.convert(outputs, TargetEnvironment)
    except msgspec.ValidationError as error:
        raise DeployError(
            f"the stack's outputs do not fit: {error}", hint="Deploy again with `pulumi up`."
        ) from error
    if unknown := sorted({objective.metric for objective in target.slo} - set(METRICS)):
        raise DeployError(
            f"the stack's outputs have objectives on unknown metrics: {', '.join(unknown)}",
            hint="Deploy again with `pulumi up`.",
        )
    return target
