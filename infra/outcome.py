"""What a stack's settings and components amount to for those who use it: its outputs.

Leaves out their shapes and how they leave the program: see `outputs`.
"""

from infra import labels, versions
from infra.clusters.contract import Cluster
from infra.ingress.contract import Ingress
from infra.model import AppSettings, StackSettings
from infra.monitoring.grafana import Grafana
from infra.monitoring.prometheus import Prometheus
from infra.naming import Naming
from infra.outputs import (
    AppOutput,
    ClusterOutput,
    GrafanaOutput,
    IngressOutput,
    LoadPodsOutput,
    MonitoringOutput,
    StackOutputs,
)
from infra.paths import text_or_none
from infra.ports import LOOPBACK
from infra.workloads.apps import Apps
from infra.workloads.certificate import SECRET


def outputs(
    settings: StackSettings,
    cluster: Cluster,
    ingress: Ingress,
    apps: Apps,
    prometheus: Prometheus,
    grafana: Grafana | None,
) -> StackOutputs:
    own = (ingress.namespace, apps.namespace, prometheus.namespace)
    return StackOutputs(
        cluster=_cluster(settings, cluster, own),
        ingress=_ingress(settings, ingress),
        apps=tuple(_app(app, apps.namespace) for app in settings.apps),
        monitoring=_monitoring(settings, prometheus, grafana),
        load=settings.load,
        load_pods=_load_pods(Naming(prefix=settings.namespace_prefix)),
        slo=settings.slo,
        validity=settings.validity,
        chaos=settings.chaos,
        kubeconfig=cluster.kubeconfig,
    )


def _cluster(settings: StackSettings, cluster: Cluster, own: tuple[str, ...]) -> ClusterOutput:
    return ClusterOutput(
        provider=settings.cluster.provider,
        name=settings.cluster.name,
        context=settings.cluster.context,
        namespaces=own if settings.cluster.existing else None,
        kubeconfig_path=text_or_none(settings.kubeconfig),
        nodes=settings.cluster.nodes,
        kubernetes_version=cluster.kubernetes_version,
    )


def _ingress(settings: StackSettings, ingress: Ingress) -> IngressOutput:
    return IngressOutput(
        controller=settings.ingress.controller,
        namespace=ingress.namespace,
        service=ingress.service,
        service_port=ingress.service_port,
        tunnelled=settings.tunnelled,
        certificate_secret=SECRET if settings.ingress.certificate else None,
        address=settings.ingress.address or LOOPBACK,
        port=settings.ingress.port,
        chart_version=ingress.chart_version,
        image=ingress.image,
    )


def _app(app: AppSettings, namespace: str) -> AppOutput:
    return AppOutput(
        name=app.name,
        namespace=namespace,
        host=app.host,
        path=app.path,
        expected_body=app.expected_body,
        replicas=app.replicas,
        autoscaler=app.autoscaler,
        image=app.image,
    )


def _monitoring(settings: StackSettings, prometheus: Prometheus, grafana: Grafana | None) -> MonitoringOutput:
    return MonitoringOutput(
        namespace=prometheus.namespace,
        service=prometheus.service,
        service_port=prometheus.port,
        address=LOOPBACK,
        port=None if settings.cluster.existing else settings.monitoring.port,
        scrape_interval_s=settings.monitoring.scrape_interval_s,
        grafana=_grafana(grafana, settings.monitoring.grafana_port),
    )


def _grafana(grafana: Grafana | None, port: int | None) -> GrafanaOutput | None:
    if grafana is None or port is None:
        return None
    return GrafanaOutput(namespace=grafana.namespace, address=LOOPBACK, port=port, path=grafana.path)


def _load_pods(naming: Naming) -> LoadPodsOutput:
    return LoadPodsOutput(
        namespace=naming.name("load"),
        namespace_labels={**labels.component("load"), **naming.namespace_labels},
        image=versions.image("loadproof/locust"),
    )
