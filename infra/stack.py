"""The whole stack on one page: which components there are and what each gives the next."""

import pulumi

from infra import labels
from infra.clusters import PROVIDERS
from infra.clusters.contract import ClusterArgs, LocalImage, PortMapping
from infra.ingress import CONTROLLERS
from infra.ingress.contract import Ingress, IngressArgs
from infra.model import StackSettings
from infra.monitoring.grafana import Grafana, GrafanaArgs
from infra.monitoring.metrics_server import MetricsServer, MetricsServerArgs
from infra.monitoring.prometheus import Prometheus, PrometheusArgs
from infra.naming import Naming
from infra.outcome import outputs
from infra.outputs import StackOutputs
from infra.whereabouts import whereabouts
from infra.workloads.apps import Apps, AppsArgs
from infra.workloads.certificate import CertificateArgs

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
    return outputs(settings, cluster, ingress, apps, prometheus, grafana)


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
        whereabouts=whereabouts(settings),
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
