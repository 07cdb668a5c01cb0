"""Grafana: only where it is wanted, with its documents, open to look at and closed to all else."""

import json
from itertools import combinations
from typing import Any

import pytest

from infra import versions
from tests.infra.recording import Recording
from tests.infra.test_stack import STACK, deployed

OWN = "loadproof:monitoring:Grafana grafana"


@pytest.fixture(scope="module")
def with_grafana() -> Recording:
    return deployed(monitoring_grafana=True, monitoring_grafana_port=3030)


def documents(recording: Recording) -> dict[str, Any]:
    data = recording.one("kubernetes:core/v1:ConfigMap", "grafana").inputs["data"]
    return {name: json.loads(text) for name, text in data.items()}


def pod(recording: Recording) -> Any:
    deployment = recording.one("kubernetes:apps/v1:Deployment", "grafana").inputs
    return deployment["spec"]["template"]


def test_it_adds_its_own_resources_and_nothing_else(with_grafana: Recording) -> None:
    added = {(one.type, one.name, one.parent) for one in with_grafana.resources} - {
        (one.type, one.name, one.parent) for one in deployed().resources
    }
    assert {
        ("loadproof:monitoring:Grafana", "grafana", STACK),
        ("kubernetes:core/v1:Namespace", "grafana", OWN),
        ("kubernetes:core/v1:ConfigMap", "grafana", OWN),
        ("kubernetes:apps/v1:Deployment", "grafana", OWN),
        ("kubernetes:core/v1:Service", "grafana", OWN),
    } == added


def test_it_answers_at_the_configured_loopback_port(with_grafana: Recording) -> None:
    (port,) = with_grafana.one("kubernetes:core/v1:Service", "grafana").inputs["spec"]["ports"]
    config = json.loads(with_grafana.one("command:local:Command", "cluster").inputs["stdin"])
    mappings = {
        mapping["containerPort"]: (mapping["listenAddress"], mapping["hostPort"])
        for mapping in config["nodes"][0]["extraPortMappings"]
    }
    assert ("127.0.0.1", 3030) == mappings[port["nodePort"]]
    exported = with_grafana.exports["monitoring"]["grafana"]
    assert {"namespace": "grafana", "address": "127.0.0.1", "port": 3030, "path": "/d/loadproof"} == exported
    assert "grafana" not in deployed().exports["monitoring"]


def test_nobody_waits_for_it(with_grafana: Recording) -> None:
    exported = with_grafana.exports
    waited_for = {exported[part]["namespace"] for part in ("ingress", "monitoring")}
    assert "grafana" not in waited_for | {one["namespace"] for one in exported["apps"]}
    deployment = with_grafana.one("kubernetes:apps/v1:Deployment", "grafana").inputs
    assert "true" == deployment["metadata"]["annotations"]["pulumi.com/skipAwait"]
    assert not [
        one
        for one in with_grafana.resources
        if any("grafana" in name for name in one.depends_on) and one.parent != OWN
    ]


def test_it_asks_this_stacks_prometheus(with_grafana: Recording) -> None:
    (datasource,) = documents(with_grafana)["datasources.yaml"]["datasources"]
    service = with_grafana.one("kubernetes:core/v1:Service", "prometheus").inputs
    name, namespace = service["metadata"]["name"], service["metadata"]["namespace"]
    assert f"http://{name}.{namespace}.svc:{service['spec']['ports'][0]['port']:.0f}" == datasource["url"]
    assert not datasource["editable"]


def test_every_panel_asks_that_datasource_one_query_of_its_own(with_grafana: Recording) -> None:
    found = documents(with_grafana)
    (datasource,) = found["datasources.yaml"]["datasources"]
    panels = found["dashboard.json"]["panels"]
    queries = [target["expr"] for panel in panels for target in panel["targets"]]
    assert len(panels) == len(set(queries)) == len({panel["id"] for panel in panels})
    for panel in panels:
        for asked in (panel, *panel["targets"]):
            assert {"type": "prometheus", "uid": datasource["uid"]} == asked["datasource"]
    for query in queries:
        assert query.count("(") == query.count(")"), query
        assert query.count("{") == query.count("}"), query
        assert 'namespace=~"apps|ingress-nginx"' in query


def test_no_two_panels_lie_on_each_other(with_grafana: Recording) -> None:
    def cells(panel: Any) -> set[tuple[int, int]]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24, "a row has 24 columns"
        return {
            (column, row)
            for column in range(at["x"], at["x"] + at["w"])
            for row in range(at["y"], at["y"] + at["h"])
        }

    panels = documents(with_grafana)["dashboard.json"]["panels"]
    assert not [pair for pair in combinations(panels, 2) if cells(pair[0]) & cells(pair[1])]


def test_its_documents_lie_where_it_looks_for_them(with_grafana: Recording) -> None:
    (container,) = pod(with_grafana)["spec"]["containers"]
    mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"] if "subPath" in mount}
    (provider,) = documents(with_grafana)["dashboards.yaml"]["providers"]
    assert {mount["subPath"] for mount in mounts.values()} == set(documents(with_grafana))
    assert "/etc/grafana/provisioning/datasources/datasources.yaml" in mounts
    assert "/etc/grafana/provisioning/dashboards/dashboards.yaml" in mounts
    home = {one["name"]: one["value"] for one in container["env"]}[
        "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"
    ]
    assert home in mounts
    assert home.rpartition("/")[0] == provider["options"]["path"]


def test_everybody_may_look_nobody_may_change_and_it_calls_nowhere(with_grafana: Recording) -> None:
    (container,) = pod(with_grafana)["spec"]["containers"]
    set_ = {one["name"].removeprefix("GF_"): one["value"] for one in container["env"]}
    assert ("true", "Viewer") == (set_["AUTH_ANONYMOUS_ENABLED"], set_["AUTH_ANONYMOUS_ORG_ROLE"])
    for on in (
        "AUTH_DISABLE_LOGIN_FORM",
        "SECURITY_DISABLE_INITIAL_ADMIN_CREATION",
        "SECURITY_DISABLE_GRAVATAR",
        "PLUGINS_PREINSTALL_DISABLED",
        "PLUGINS_PUBLIC_KEY_RETRIEVAL_DISABLED",
    ):
        assert "true" == set_[on], on
    for off in (
        "AUTH_BASIC_ENABLED",
        "ANALYTICS_REPORTING_ENABLED",
        "ANALYTICS_CHECK_FOR_UPDATES",
        "ANALYTICS_CHECK_FOR_PLUGIN_UPDATES",
        "NEWS_NEWS_FEED_ENABLED",
        "SNAPSHOTS_EXTERNAL_ENABLED",
        "PLUGINS_PLUGIN_ADMIN_ENABLED",
    ):
        assert "false" == set_[off], off


def test_it_is_the_pinned_image_within_the_restricted_standard(with_grafana: Recording) -> None:
    namespace = with_grafana.one("kubernetes:core/v1:Namespace", "grafana").inputs["metadata"]["labels"]
    assert "restricted" == namespace["pod-security.kubernetes.io/enforce"]
    spec = pod(with_grafana)["spec"]
    (container,) = spec["containers"]
    assert versions.image("grafana/grafana") == container["image"]
    assert spec["securityContext"]["runAsNonRoot"]
    assert not spec["automountServiceAccountToken"]
    assert ["ALL"] == container["securityContext"]["capabilities"]["drop"]


def test_another_dashboard_starts_another_pod(with_grafana: Recording) -> None:
    third = deployed(monitoring_grafana=True, monitoring_scrape_interval_s=5)
    assert pod(with_grafana)["metadata"]["annotations"] != pod(third)["metadata"]["annotations"]
