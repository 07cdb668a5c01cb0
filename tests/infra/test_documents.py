"""The documents that other programs read: kind's config, the chart's values, Prometheus' config."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.clusters.contract import ClusterArgs, PortMapping
from infra.clusters.kind_config import kind_config
from infra.ingress.contract import IngressArgs
from infra.ingress.nginx import nginx_values
from infra.monitoring.scrape_config import scrape_config
from infra.naming import Naming

PORTS = (PortMapping(node_port=30080, host_port=80), PortMapping(node_port=30090, host_port=9090))


def kind(*, workers: int = 2, control_planes: int = 1, autoscaling_sync_s: int = 15) -> Any:
    args = ClusterArgs(
        whereabouts={},
        name="x",
        context="kind-x",
        kubeconfig=Path("kubeconfig"),
        control_planes=control_planes,
        workers=workers,
        node_image="loadproof/node:v1.34.11",
        autoscaling_sync_s=autoscaling_sync_s,
        ports=PORTS,
        images=(),
    )
    return kind_config(args)


def kubeadm_patches(**shape: int) -> dict[str, Any]:
    patches = [yaml.safe_load(patch) for patch in kind(**shape)["kubeadmConfigPatches"]]
    return {patch["kind"]: patch for patch in patches}


def nginx() -> Any:
    args = IngressArgs(naming=Naming(), node_port=30080, node_labels={"loadproof/ingress": "true"})
    return nginx_values(args, image="registry.k8s.io/ingress-nginx/controller:v1.11.0")["controller"]


@pytest.mark.parametrize(("control_planes", "workers"), [(1, 0), (1, 1), (1, 5), (3, 2)])
def test_a_cluster_has_as_many_nodes_of_each_role_as_asked(control_planes: int, workers: int) -> None:
    expected = ["control-plane"] * control_planes + ["worker"] * workers
    nodes = kind(control_planes=control_planes, workers=workers)["nodes"]
    assert expected == [node["role"] for node in nodes]
    assert {"loadproof/node:v1.34.11"} == {node["image"] for node in nodes}


def test_every_host_port_is_on_loopback_and_on_one_node_only() -> None:
    control_plane, *others = kind(control_planes=3)["nodes"]
    assert {"127.0.0.1"} == {port["listenAddress"] for port in control_plane["extraPortMappings"]}
    assert [(30080, 80), (30090, 9090)] == [
        (port["containerPort"], port["hostPort"]) for port in control_plane["extraPortMappings"]
    ]
    assert not [node for node in others if "extraPortMappings" in node]


def test_autoscalers_look_as_often_as_configured_and_kubernetes_own_goes_without_saying() -> None:
    flag = "horizontal-pod-autoscaler-sync-period"

    def controllers(**shape: int) -> Any:
        return kubeadm_patches(**shape)["ClusterConfiguration"]["controllerManager"]["extraArgs"]

    assert "5s" == controllers(autoscaling_sync_s=5)[flag]
    assert flag not in controllers(autoscaling_sync_s=15)
    assert "leader-elect" in controllers(autoscaling_sync_s=5), "what else they are told stays"


@pytest.mark.parametrize(
    ("control_planes", "workers", "opened"), [(1, 0, False), (3, 1, False), (2, 0, True)]
)
def test_control_planes_take_whatever_comes_only_where_nobody_else_does_and_kind_sees_to_it_not(
    control_planes: int, workers: int, opened: bool
) -> None:
    document = kind(control_planes=control_planes, workers=workers)
    patches = [yaml.safe_load(patch) for patch in document["kubeadmConfigPatches"]]
    untainted = [one["kind"] for one in patches if one.get("nodeRegistration", {}).get("taints") == []]
    assert untainted == (["InitConfiguration", "JoinConfiguration"] if opened else [])


def test_every_kubelet_looks_at_its_containers_each_second() -> None:
    for node in ("InitConfiguration", "JoinConfiguration"):
        arguments = kubeadm_patches()[node]["nodeRegistration"]["kubeletExtraArgs"]
        assert {"housekeeping-interval": "1s"} == arguments


@pytest.mark.parametrize("controller", ["controllerManager", "scheduler"])
def test_a_leader_is_elected_only_where_there_is_more_than_one(controller: str) -> None:
    one, three = (
        kubeadm_patches(control_planes=number)["ClusterConfiguration"][controller]["extraArgs"]
        for number in (1, 3)
    )
    assert "false" == one["leader-elect"]
    assert "leader-elect" not in three, "two that both think they lead would undo each other's work"


def test_what_the_cluster_keeps_is_not_waited_for_until_it_is_on_the_disk() -> None:
    etcd = kubeadm_patches()["ClusterConfiguration"]["etcd"]["local"]
    assert {"unsafe-no-fsync": "true"} == etcd["extraArgs"]


def test_the_controller_runs_on_the_node_whose_ports_are_mapped() -> None:
    assert kind()["nodes"][0]["labels"] == nginx()["nodeSelector"]
    assert 30080 == nginx()["service"]["nodePorts"]["http"]
    assert "Local" == nginx()["service"]["externalTrafficPolicy"]


def test_the_chart_names_the_pinned_image_without_a_registrys_digest() -> None:
    assert {
        "registry": "registry.k8s.io",
        "image": "ingress-nginx/controller",
        "tag": "v1.11.0",
        "digest": "",
        "pullPolicy": "IfNotPresent",
    } == nginx()["image"]


def test_the_controller_has_no_admission_webhook_and_spends_nothing_on_metrics() -> None:
    assert {"enabled": False} == nginx()["admissionWebhooks"]
    assert {"enabled": False} == nginx()["metrics"]
    assert "podAnnotations" not in nginx()


def test_prometheus_looks_as_often_as_configured() -> None:
    document = scrape_config(scrape_interval_s=5, own_port=9090)
    assert {"scrape_interval": "5s", "scrape_timeout": "5s"} == document["global"]


def job(name: str) -> Any:
    (found,) = [
        one
        for one in scrape_config(scrape_interval_s=2, own_port=9091)["scrape_configs"]
        if one["job_name"] == name
    ]
    return found


def cadvisor() -> Any:
    return job("cadvisor")


def test_prometheus_knows_itself_without_looking_for_itself() -> None:
    """Who is looked for among the pods is found only when it has an address there."""
    assert [{"targets": ["localhost:9091"]}] == job("prometheus")["static_configs"]


def test_cadvisors_own_timestamps_are_kept() -> None:
    assert "honor_timestamps" not in cadvisor(), "its default is to keep them"


@pytest.mark.parametrize(
    "row",
    [
        "container_cpu_usage_seconds_total",
        "container_cpu_cfs_throttled_seconds_total",
        "container_cpu_cfs_periods_total",
        "container_memory_working_set_bytes",
        "container_network_receive_bytes_total",
        "container_network_transmit_bytes_total",
        "container_last_seen",
        "container_oom_events_total",
        "container_pressure_cpu_waiting_seconds_total",
    ],
)
def test_what_is_asked_for_is_kept(row: str) -> None:
    (kept,) = cadvisor()["metric_relabel_configs"]
    assert "keep" == kept["action"]
    assert re.fullmatch(kept["regex"], row)


@pytest.mark.parametrize("row", ["container_tasks_state", "container_fs_reads_total", "go_goroutines"])
def test_what_nobody_asks_for_is_not_stored(row: str) -> None:
    (kept,) = cadvisor()["metric_relabel_configs"]
    assert not re.fullmatch(kept["regex"], row)
