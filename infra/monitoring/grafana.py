"""Grafana with a dashboard of the load, for whoever keeps the cluster up to look at.

It has a namespace of its own, which nobody waits for: where its image cannot be had, a run goes on without
it. Everybody who reaches its loopback port may look, nobody may change anything, and it calls nowhere.
Leaves out what it shows: see `dashboard`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_kubernetes.apps.v1 import Deployment
from pulumi_kubernetes.core.v1 import (
    ConfigMap,
    ContainerArgsDict,
    Namespace,
    PodSpecArgsDict,
    Service,
    VolumeMountArgsDict,
)
from pulumi_kubernetes.meta.v1 import ObjectMetaArgsDict

from infra import labels, versions
from infra.monitoring.dashboard import UID, dashboard
from infra.naming import Naming
from infra.parts import CONTAINER_SECURITY, configured_pod, http_probe, lone_pod, metadata

NAME = "grafana"
PORT = 3000
_USER_ID = 472
_HEALTH = "/api/health"
_DATASOURCE_UID = "prometheus"
_PROVISIONING = "/etc/grafana/provisioning"
_DASHBOARDS = "/etc/grafana/dashboards"
_ENVIRONMENT: Mapping[str, str] = {
    "GF_AUTH_ANONYMOUS_ENABLED": "true",
    "GF_AUTH_ANONYMOUS_ORG_ROLE": "Viewer",
    "GF_AUTH_BASIC_ENABLED": "false",
    "GF_AUTH_DISABLE_LOGIN_FORM": "true",
    "GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION": "true",
    "GF_SECURITY_DISABLE_GRAVATAR": "true",
    "GF_ANALYTICS_REPORTING_ENABLED": "false",
    "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
    "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
    "GF_NEWS_NEWS_FEED_ENABLED": "false",
    "GF_SNAPSHOTS_EXTERNAL_ENABLED": "false",
    "GF_PLUGINS_PLUGIN_ADMIN_ENABLED": "false",
    "GF_PLUGINS_PREINSTALL_DISABLED": "true",
    "GF_PLUGINS_PUBLIC_KEY_RETRIEVAL_DISABLED": "true",
    "GF_LOG_MODE": "console",
    "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH": f"{_DASHBOARDS}/dashboard.json",
}


@dataclass(frozen=True, kw_only=True)
class GrafanaArgs:
    """`prometheus_url` is asked from inside the cluster; `namespaces` are those whose pods are shown."""

    naming: Naming
    node_port: int
    prometheus_url: str
    scrape_interval_s: int
    namespaces: tuple[str, ...]


class Grafana(pulumi.ComponentResource):
    """`path` is the dashboard's, at Grafana's address."""

    namespace: str
    path = f"/d/{UID}"

    def __init__(self, name: str, args: GrafanaArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("loadproof:monitoring:Grafana", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._documents = documents(args)
        self.namespace = args.naming.name(NAME)
        self._namespace_name = self._own_namespace(args.naming).metadata.name
        self._deployment(self._config_map())
        self._service(args.node_port)
        self.register_outputs({"namespace": self.namespace})

    def _own_namespace(self, naming: Naming) -> Namespace:
        return Namespace(
            NAME,
            metadata={"name": self.namespace, "labels": naming.namespace_labels},
            opts=self._child,
        )

    def _metadata(self) -> ObjectMetaArgsDict:
        return metadata(NAME, self._namespace_name)

    def _config_map(self) -> pulumi.Output[str]:
        return ConfigMap(
            NAME, metadata=self._metadata(), data=self._documents, opts=self._child
        ).metadata.name

    def _deployment(self, config_map: pulumi.Output[str]) -> None:
        read = labels.read_at_start(json.dumps(self._documents))
        Deployment(
            NAME,
            metadata=self._metadata(),
            spec=lone_pod(NAME, _pod_spec(config_map), annotations=read),
            opts=self._child,
        )

    def _service(self, node_port: int) -> None:
        Service(
            NAME,
            metadata=self._metadata(),
            spec={
                "type": "NodePort",
                "selector": labels.component(NAME),
                "ports": [{"name": "http", "port": PORT, "target_port": "http", "node_port": node_port}],
            },
            opts=self._child,
        )


def documents(args: GrafanaArgs) -> Mapping[str, str]:
    """What Grafana reads at its start, by file name; JSON is YAML. Pure."""
    contents: Mapping[str, Mapping[str, Any]] = {
        "datasources.yaml": {"apiVersion": 1, "datasources": [_datasource(args)]},
        "dashboards.yaml": {
            "apiVersion": 1,
            "providers": [{"name": "loadproof", "type": "file", "options": {"path": _DASHBOARDS}}],
        },
        "dashboard.json": dashboard(
            namespaces=args.namespaces,
            datasource_uid=_DATASOURCE_UID,
            scrape_interval_s=args.scrape_interval_s,
        ),
    }
    return {name: json.dumps(content, indent=1) for name, content in contents.items()}


def _datasource(args: GrafanaArgs) -> Mapping[str, Any]:
    return {
        "name": "Prometheus",
        "uid": _DATASOURCE_UID,
        "type": "prometheus",
        "access": "proxy",
        "url": args.prometheus_url,
        "isDefault": True,
        "editable": False,
        "jsonData": {"timeInterval": f"{args.scrape_interval_s}s"},
    }


def _pod_spec(config_map: pulumi.Output[str]) -> PodSpecArgsDict:
    pod = configured_pod(_container(), config_map, user_id=_USER_ID)
    return {**pod, "automount_service_account_token": False}


def _container() -> ContainerArgsDict:
    return {
        "name": NAME,
        "image": versions.image("grafana/grafana"),
        "image_pull_policy": "IfNotPresent",
        "env": [{"name": name, "value": value} for name, value in _ENVIRONMENT.items()],
        "ports": [{"name": "http", "container_port": PORT}],
        "resources": {
            "requests": {"cpu": "50m", "memory": "128Mi"},
            "limits": {"cpu": "500m", "memory": "512Mi"},
        },
        "startup_probe": http_probe(_HEALTH, period_s=2, failures=60),
        "readiness_probe": http_probe(_HEALTH, period_s=5, failures=3),
        "liveness_probe": http_probe(_HEALTH, period_s=10, failures=3),
        "volume_mounts": [
            _mounted("datasources.yaml", f"{_PROVISIONING}/datasources"),
            _mounted("dashboards.yaml", f"{_PROVISIONING}/dashboards"),
            _mounted("dashboard.json", _DASHBOARDS),
            {"name": "data", "mount_path": "/var/lib/grafana"},
        ],
        "security_context": CONTAINER_SECURITY,
    }


def _mounted(document: str, folder: str) -> VolumeMountArgsDict:
    return {
        "name": "config",
        "mount_path": f"{folder}/{document}",
        "sub_path": document,
        "read_only": True,
    }
