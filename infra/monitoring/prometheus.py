"""Prometheus with the least rights that work.

Leaves out alerting and dashboards, and persistence: a run's figures outlive the cluster in its report.
"""

import json
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.apps.v1 import Deployment
from pulumi_kubernetes.core.v1 import (
    ConfigMap,
    ContainerArgsDict,
    Namespace,
    PodSpecArgsDict,
    Service,
    ServicePortArgsDict,
)
from pulumi_kubernetes.meta.v1 import ObjectMetaArgsDict

from infra import labels, versions
from infra.monitoring.rights import measuring_account
from infra.monitoring.scrape_config import scrape_config
from infra.naming import Naming
from infra.parts import CONTAINER_SECURITY, configured_pod, lone_pod, metadata, prompt_probes

NAME = "prometheus"
_NAMESPACE = "monitoring"
PORT = 9090
_USER_ID = 65534
_CONFIG_FOLDER = "/etc/prometheus"
_DATA_FOLDER = "/prometheus"


@dataclass(frozen=True, kw_only=True)
class PrometheusArgs:
    """`node_port` is where the nodes take queries, None where only the service does.

    `namespaces` are those beside its own whose pods it looks at; where none is named, it looks at all.
    """

    naming: Naming
    node_port: int | None
    namespaces: tuple[str, ...]
    scrape_interval_s: int


class Prometheus(pulumi.ComponentResource):
    """`namespace_name` is that of the namespace once it is there: for what else is to be in it."""

    namespace: str
    namespace_name: pulumi.Output[str]
    service = NAME
    port = PORT

    def __init__(self, name: str, args: PrometheusArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("loadproof:monitoring:Prometheus", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self.namespace = args.naming.name(_NAMESPACE)
        self._config = self._config_text(args)
        self.namespace_name = self._namespace(args.naming).metadata.name
        account = self._account(args.naming)
        self._deployment(account, self._config_map())
        self._service(args.node_port)
        self.register_outputs({"service": self.service, "namespace": self.namespace})

    def _namespace(self, naming: Naming) -> Namespace:
        return Namespace(
            _NAMESPACE,
            metadata={"name": self.namespace, "labels": naming.namespace_labels},
            opts=self._child,
        )

    def _metadata(self) -> ObjectMetaArgsDict:
        return metadata(NAME, self.namespace_name)

    def _account(self, naming: Naming) -> pulumi.Output[str]:
        cluster_wide: ObjectMetaArgsDict = {
            "name": naming.name("loadproof-prometheus"),
            "labels": {**labels.component(NAME), **naming.labels},
        }
        return measuring_account(NAME, metadata=self._metadata(), cluster_wide=cluster_wide, opts=self._child)

    def _config_text(self, args: PrometheusArgs) -> str:
        namespaces = (*args.namespaces, self.namespace) if args.namespaces else ()
        return json.dumps(
            scrape_config(scrape_interval_s=args.scrape_interval_s, own_port=PORT, namespaces=namespaces),
            indent=1,
        )

    def _config_map(self) -> pulumi.Output[str]:
        return ConfigMap(
            NAME, metadata=self._metadata(), data={"prometheus.yml": self._config}, opts=self._child
        ).metadata.name

    def _deployment(self, account: pulumi.Output[str], config_map: pulumi.Output[str]) -> None:
        annotations = labels.read_at_start(self._config)
        Deployment(
            NAME,
            metadata=self._metadata(),
            spec=lone_pod(NAME, _pod_spec(account, config_map), annotations=annotations),
            opts=self._child,
        )

    def _service(self, node_port: int | None) -> None:
        Service(
            NAME,
            metadata=self._metadata(),
            spec={
                "type": "ClusterIP" if node_port is None else "NodePort",
                "selector": labels.component(NAME),
                # Whoever asks for it asks it itself whether it is ready, and need not wait until it has been
                # found ready and every node has been told.
                "publish_not_ready_addresses": True,
                "ports": [_service_port(node_port)],
            },
            opts=self._child,
        )


def _service_port(node_port: int | None) -> ServicePortArgsDict:
    port: ServicePortArgsDict = {"name": "http", "port": PORT, "target_port": "http"}
    return port if node_port is None else {**port, "node_port": node_port}


def _pod_spec(account: pulumi.Output[str], config_map: pulumi.Output[str]) -> PodSpecArgsDict:
    pod = configured_pod(_container(), config_map, user_id=_USER_ID)
    return {**pod, "service_account_name": account}


def _container() -> ContainerArgsDict:
    ready, alive = prompt_probes("/-/ready", "/-/healthy", patience_s=15)
    return {
        "name": NAME,
        "image": versions.image("prom/prometheus"),
        "image_pull_policy": "IfNotPresent",
        "args": [
            f"--config.file={_CONFIG_FOLDER}/prometheus.yml",
            f"--storage.tsdb.path={_DATA_FOLDER}",
            "--storage.tsdb.retention.time=1d",
            # By default what was found is first watched after five seconds: a cluster that lives for a minute
            # has no time for that.
            "--scrape.discovery-reload-interval=250ms",
        ],
        "ports": [{"name": "http", "container_port": PORT}],
        "resources": {
            "requests": {"cpu": "100m", "memory": "128Mi"},
            "limits": {"cpu": "1", "memory": "512Mi"},
        },
        "readiness_probe": ready,
        "liveness_probe": alive,
        "volume_mounts": [
            {"name": "config", "mount_path": _CONFIG_FOLDER, "read_only": True},
            {"name": "data", "mount_path": _DATA_FOLDER},
        ],
        "security_context": CONTAINER_SECURITY,
    }
