"""Targets for loads against loopback servers: only what an engine reads means anything."""

from collections.abc import Mapping

from loadtest.load_options import LoadOptions
from loadtest.target import (
    AppTarget,
    ClusterTarget,
    IngressTarget,
    LoadPodsTarget,
    MonitoringTarget,
    TargetEnvironment,
)
from loadtest.validity import Thresholds


def target_at(port: int, bodies: Mapping[str, bytes]) -> TargetEnvironment:
    """An app for each host, whose expected body is given."""
    return TargetEnvironment(
        schema_version=1,
        cluster=ClusterTarget(
            provider="kind",
            name="loadproof",
            context="kind-loadproof",
            namespaces=None,
            kubeconfig_path="kubeconfig",
            nodes=1,
            kubernetes_version="v1.34.4",
        ),
        ingress=IngressTarget(
            controller="ingress-nginx",
            namespace="ingress-nginx",
            service="ingress-nginx-controller",
            service_port=80,
            tunnelled=False,
            address="127.0.0.1",
            port=port,
            chart_version="4.11.0",
            image="controller",
        ),
        apps=tuple(
            AppTarget(
                name=host.partition(".")[0],
                namespace="default",
                host=host,
                path="/",
                expected_body=body.decode(),
                replicas=1,
                image="echo",
            )
            for host, body in bodies.items()
        ),
        monitoring=MonitoringTarget(
            namespace="monitoring",
            service="prometheus",
            service_port=9090,
            address="127.0.0.1",
            port=None,
            scrape_interval_s=2.0,
        ),
        load=LoadOptions(),
        load_pods=LoadPodsTarget(
            namespace="load",
            namespace_labels={"app.kubernetes.io/name": "load"},
            image="loadproof/locust:1.0.0",
        ),
        slo=(),
        validity=Thresholds(),
    )
