"""What a stack exports: where to send load, what to expect, where to ask for metrics.

Read by others as `pulumi stack output --json` has them, so names and units here are a contract: a change of
meaning raises SCHEMA_VERSION. That goes for settings too where they are handed on as they are. All but the
kubeconfig and Kubernetes' version is known before anything is created.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import pulumi

from infra.model import (
    AutoscalerSettings,
    ChaosSettings,
    LoadSettings,
    ObjectiveSettings,
    ValiditySettings,
)

SCHEMA_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class ClusterOutput:
    """`namespaces` are those that may be looked into; None for all, as in a cluster made for the stack.

    What is None else is not known of an existing cluster.
    """

    provider: str
    name: str
    context: str
    namespaces: tuple[str, ...] | None
    kubeconfig_path: str | None
    nodes: int | None
    kubernetes_version: pulumi.Output[str] | None


@dataclass(frozen=True, kw_only=True)
class IngressOutput:
    """`tunnelled` says that a tunnel to `service` has to be there for `address` and `port` to answer.

    `certificate_secret` is beside the apps; with it they answer over TLS as well, at port 443 of `service`.
    """

    controller: str
    namespace: str
    service: str
    service_port: int
    tunnelled: bool
    certificate_secret: str | None
    address: str
    port: int
    chart_version: str
    image: str


@dataclass(frozen=True, kw_only=True)
class AppOutput:
    name: str
    namespace: str
    host: str
    path: str
    expected_body: str
    replicas: int
    autoscaler: AutoscalerSettings | None
    image: str


@dataclass(frozen=True, kw_only=True)
class GrafanaOutput:
    namespace: str
    address: str
    port: int
    path: str


@dataclass(frozen=True, kw_only=True)
class MonitoringOutput:
    namespace: str
    service: str
    service_port: int
    address: str
    port: int | None
    scrape_interval_s: int
    grafana: GrafanaOutput | None


@dataclass(frozen=True, kw_only=True)
class LoadPodsOutput:
    """Where and of what image pods are made that send load; the namespace is there only while they are."""

    namespace: str
    namespace_labels: Mapping[str, str]
    image: str


@dataclass(frozen=True, kw_only=True)
class StackOutputs:
    cluster: ClusterOutput
    ingress: IngressOutput
    apps: tuple[AppOutput, ...]
    monitoring: MonitoringOutput
    load: LoadSettings
    load_pods: LoadPodsOutput
    slo: tuple[ObjectiveSettings, ...]
    validity: ValiditySettings
    chaos: tuple[ChaosSettings, ...]
    kubeconfig: pulumi.Output[str] | None
    schema_version: int = SCHEMA_VERSION


def export(outputs: StackOutputs) -> None:
    """Exports every field under its own name, as plain values; a kubeconfig of ours as a secret."""
    pulumi.export("schema_version", outputs.schema_version)
    pulumi.export("cluster", vars(outputs.cluster))  # no copy: one of its values is yet to come
    for name in ("ingress", "monitoring", "load", "load_pods", "validity"):
        pulumi.export(name, asdict(getattr(outputs, name)))
    for name in ("apps", "slo", "chaos"):
        pulumi.export(name, [asdict(item) for item in getattr(outputs, name)])
    if outputs.kubeconfig is not None:
        pulumi.export("kubeconfig", pulumi.Output.secret(outputs.kubeconfig))
