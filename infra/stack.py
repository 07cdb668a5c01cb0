"""The whole stack on one page: which components there are and what each gives the next."""

from dataclasses import asdict

import pulumi

from infra import labels, versions
from infra.clusters import PROVIDERS
from infra.clusters.contract import Cluster, ClusterArgs, LocalImage, PortMapping
from infra.ingress import CONTROLLERS
from infra.ingress.contract import Ingress, IngressArgs
from infra.model import LoadSettings, StackSettings
from infra.monitoring.grafana import Grafana, GrafanaArgs
from infra.monitoring.metrics_server import MetricsServer, MetricsServerArgs
from infra.monitoring.prometheus import Prometheus, PrometheusArgs
from infra.naming import Naming
from infra.outputs import (
    AppOutput,
    AutoscalerOutput,
    ClusterOutput,
    GrafanaOutput,
    IngressOutput,
    LoadOutput,
    LoadPodsOutput,
    LoadStageOutput,
    MonitoringOutput,
    ObjectiveOutput,
    StackOutputs,
)
from infra.paths import text_or_none
from infra.ports import LOOPBACK
from infra.workloads.apps import Apps, AppsArgs
from infra.workloads.certificate import SECRET, CertificateArgs

INGRESS_NODE_PORT = 30080
MONITORING_NODE_PORT = 30090
GRAFANA_NODE_PORT = 30030


def build(settings: StackSettings, images: tuple[LocalImage, ...] = ()) -> StackOutputs:
    """Registers every resource of the stack; what it returns is what the program exports.

    `images` are those of this machine that the cluster is to have.
    """
    cluster = PROVIDERS[settings.cluster.provider].make("cluster", cluster_args(settings, images))
    # All that is in a cluster that goes away goes with it: nothing in it is deleted one by one.
    inside = pulumi.ResourceOptions(provider=cluster.provider, deleted_with=cluster.lifetime)
    naming = Naming(prefix=settings.namespace_prefix)
    ingress = CONTROLLERS[settings.ingress.controller].make(
        "ingress",
        _ingress_args(settings, naming),
        inside,
    )
    apps = Apps(
        "apps",
        AppsArgs(
            naming=naming,
            apps=settings.apps,
            image_ids={image.reference: image.image_id for image in images},
            ingress_class=ingress.class_name,
            ingress_namespace=ingress.namespace,
            certificate=_certificate(settings),
        ),
        inside,
    )
    prometheus = Prometheus(
        "monitoring",
        PrometheusArgs(
            naming=naming,
            node_port=None if settings.cluster.existing else MONITORING_NODE_PORT,
            namespaces=(ingress.namespace, apps.namespace) if settings.cluster.existing else (),
            scrape_interval_s=settings.monitoring.scrape_interval_s,
        ),
        inside,
    )
    if settings.cluster.existing is None and any(app.autoscaler for app in settings.apps):
        MetricsServer("metrics-server", MetricsServerArgs(namespace=prometheus.namespace_name), inside)
    grafana = None
    if settings.monitoring.grafana_port is not None:
        grafana = Grafana("grafana", _grafana_args(settings, ingress, apps, prometheus), inside)
    return _outputs(settings, cluster, ingress, apps, prometheus, grafana)


def _ingress_args(settings: StackSettings, naming: Naming) -> IngressArgs:
    if settings.cluster.existing:
        port = settings.ingress.node_port if settings.ingress.address else None
        tls = settings.ingress.certificate is not None
        return IngressArgs(naming=naming, node_port=port, node_labels={}, tls=tls)
    return IngressArgs(naming=naming, node_port=INGRESS_NODE_PORT, node_labels=labels.INGRESS_NODE)


def _certificate(settings: StackSettings) -> CertificateArgs | None:
    if settings.ingress.certificate is None:
        return None
    return CertificateArgs(
        source=settings.ingress.certificate,
        context=settings.cluster.context,
        kubeconfig=settings.kubeconfig,
    )


def _grafana_args(
    settings: StackSettings, ingress: Ingress, apps: Apps, prometheus: Prometheus
) -> GrafanaArgs:
    return GrafanaArgs(
        naming=Naming(prefix=settings.namespace_prefix),
        node_port=GRAFANA_NODE_PORT,
        prometheus_url=f"http://{prometheus.service}.{prometheus.namespace}.svc:{prometheus.port}",
        scrape_interval_s=settings.monitoring.scrape_interval_s,
        namespaces=(apps.namespace, ingress.namespace),
    )


def cluster_args(settings: StackSettings, images: tuple[LocalImage, ...] = ()) -> ClusterArgs:
    """What the stack asks of its cluster. Pure."""
    return ClusterArgs(
        name=settings.cluster.name,
        context=settings.cluster.context,
        kubeconfig=settings.kubeconfig,
        control_planes=settings.cluster.control_planes,
        workers=settings.cluster.workers,
        node_image=settings.cluster.node_image,
        autoscaling_sync_s=settings.cluster.autoscaling_sync_s,
        ports=_ports(settings),
        images=images,
    )


def _ports(settings: StackSettings) -> tuple[PortMapping, ...]:
    ports = {
        INGRESS_NODE_PORT: settings.ingress.port,
        MONITORING_NODE_PORT: settings.monitoring.port,
        GRAFANA_NODE_PORT: settings.monitoring.grafana_port,
    }
    return tuple(
        PortMapping(node_port=node_port, host_port=host_port)
        for node_port, host_port in ports.items()
        if host_port is not None
    )


def _outputs(
    settings: StackSettings,
    cluster: Cluster,
    ingress: Ingress,
    apps: Apps,
    prometheus: Prometheus,
    grafana: Grafana | None,
) -> StackOutputs:
    own = (ingress.namespace, apps.namespace, prometheus.namespace)
    return StackOutputs(
        cluster=ClusterOutput(
            provider=settings.cluster.provider,
            name=settings.cluster.name,
            context=settings.cluster.context,
            namespaces=own if settings.cluster.existing else None,
            kubeconfig_path=text_or_none(settings.kubeconfig),
            nodes=settings.cluster.nodes,
            kubernetes_version=cluster.kubernetes_version,
        ),
        ingress=IngressOutput(
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
        ),
        apps=tuple(
            AppOutput(
                name=app.name,
                namespace=apps.namespace,
                host=app.host,
                path=app.path,
                expected_body=app.expected_body,
                replicas=app.replicas,
                autoscaler=AutoscalerOutput(**asdict(app.autoscaler)) if app.autoscaler else None,
                image=app.image,
            )
            for app in settings.apps
        ),
        monitoring=MonitoringOutput(
            namespace=prometheus.namespace,
            service=prometheus.service,
            service_port=prometheus.port,
            address=LOOPBACK,
            port=None if settings.cluster.existing else settings.monitoring.port,
            scrape_interval_s=settings.monitoring.scrape_interval_s,
            grafana=_grafana_output(grafana, settings.monitoring.grafana_port),
        ),
        load=_load(settings.load),
        load_pods=_load_pods(Naming(prefix=settings.namespace_prefix)),
        objectives=tuple(ObjectiveOutput(**asdict(objective)) for objective in settings.objectives),
        kubeconfig=cluster.kubeconfig,
    )


def _grafana_output(grafana: Grafana | None, port: int | None) -> GrafanaOutput | None:
    if grafana is None or port is None:
        return None
    return GrafanaOutput(namespace=grafana.namespace, address=LOOPBACK, port=port, path=grafana.path)


def _load_pods(naming: Naming) -> LoadPodsOutput:
    return LoadPodsOutput(
        namespace=naming.name("load"),
        namespace_labels={**labels.component("load"), **naming.namespace_labels},
        image=versions.image("loadproof/locust"),
    )


def _load(load: LoadSettings) -> LoadOutput:
    stages = tuple(LoadStageOutput(**asdict(stage)) for stage in load.stages)
    return LoadOutput(**{**asdict(load), "stages": stages})
