"""On a cluster that is there already: what is made in it, by whom, and what stays where it lies."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.clusters.existing import ExistingCluster
from infra.outputs import export
from infra.parsing import parse
from infra.paths import ROOT
from infra.stack import build
from infra.stack_file import settings_of
from infra.whereabouts import whereabouts
from tests.infra.configuration import ci_config, ci_settings, problems
from tests.infra.recording import Recording, record

EXISTING: dict[str, Any] = {
    "cluster_provider": "existing",
    "cluster_context": "staging",
    "cluster_kubeconfig": "/home/anna/.kube/config",
    "namespace_prefix": "pr-1-",
}
INGRESS = "kubernetes:networking.k8s.io/v1:Ingress"
COMMAND = "command:local:Command"


def deployed(**changed: Any) -> Recording:
    settings = ci_settings(**{**EXISTING, **changed})
    return record(lambda: export(build(settings)))


@pytest.fixture(scope="module")
def existing() -> Recording:
    return deployed()


@pytest.fixture(scope="module")
def production() -> Recording:
    settings = settings_of(ROOT / "Pulumi.production.yaml")
    return record(lambda: export(build(settings)))


def test_no_cluster_is_made_and_everything_else_as_ever(existing: Recording) -> None:
    of_ci = record(lambda: export(build(ci_settings())))

    def inside(recording: Recording) -> set[tuple[str, str]]:
        return {(one.type, one.name) for one in recording.resources if one.type.startswith("kubernetes:")}

    assert inside(of_ci) == inside(existing)
    assert [] == [one for one in existing.resources if one.type == COMMAND]


def test_what_is_in_it_is_deleted_one_by_one(existing: Recording) -> None:
    assert {""} == {one.deleted_with for one in existing.resources}


def test_its_kubeconfig_is_used_where_it_lies(existing: Recording) -> None:
    provider = existing.one("pulumi:providers:kubernetes", "cluster")
    assert ("/home/anna/.kube/config", "staging") == tuple(
        provider.inputs[key] for key in ("kubeconfig", "context")
    )
    assert "kubeconfig" not in existing.exports
    assert "/home/anna/.kube/config" == existing.exports["cluster"]["kubeconfig_path"]


def test_where_none_is_named_it_is_the_one_that_kubectl_takes() -> None:
    recorded = deployed(cluster_kubeconfig="")
    assert "kubeconfig" not in recorded.one("pulumi:providers:kubernetes", "cluster").inputs
    assert recorded.exports["cluster"].get("kubeconfig_path") is None


def test_the_state_keeps_the_address_that_the_context_led_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    address = "https://10.1.1.1:6443"
    kubeconfig.write_text(
        json.dumps(
            {
                "clusters": [{"name": "c", "cluster": {"server": address}}],
                "contexts": [{"name": "staging", "context": {"cluster": "c", "user": "u"}}],
                "users": [{"name": "u", "user": {"token": "planted-secret"}}],
            }
        )
    )
    kept: list[object] = []
    monkeypatch.setattr(ExistingCluster, "register_outputs", lambda _, outputs: kept.append(outputs))
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    deployed(cluster_kubeconfig="")
    monkeypatch.delenv("KUBECONFIG")
    deployed(cluster_kubeconfig=str(kubeconfig))
    deployed(cluster_kubeconfig=str(tmp_path / "none"))
    assert [
        {**whereabouts(ci_settings(**{**EXISTING, "cluster_kubeconfig": named})), "server": server}
        for named, server in (("", address), (str(kubeconfig), address), (str(tmp_path / "none"), None))
    ] == kept


def test_what_is_there_already_is_never_taken_over(existing: Recording) -> None:
    # The engine hands a provider's inputs over as text.
    assert "false" == existing.one("pulumi:providers:kubernetes", "cluster").inputs["enableServerSideApply"]


def test_another_cluster_replaces_all_that_is_in_this_one(existing: Recording) -> None:
    provider = existing.one("pulumi:providers:kubernetes", "cluster")
    assert {"context", "kubeconfig"} == provider.replace_on_changes
    assert "cluster" == provider.inputs["clusterIdentifier"]


def test_no_port_of_its_nodes_is_taken_and_a_tunnel_leads_to_the_ingress(existing: Recording) -> None:
    release = existing.one("kubernetes:helm.sh/v3:Release", "ingress").inputs["values"]["controller"]
    assert "ClusterIP" == release["service"]["type"]
    assert "ClusterIP" == existing.one("kubernetes:core/v1:Service", "prometheus").inputs["spec"]["type"]
    assert existing.exports["ingress"]["tunnelled"]
    assert ("127.0.0.1", 80) == tuple(existing.exports["ingress"][key] for key in ("address", "port"))
    assert existing.exports["monitoring"].get("port") is None


def test_at_an_address_of_its_own_the_ingress_takes_the_nodes_port_that_is_said_to_stand_behind_it() -> None:
    recorded = deployed(ingress_address="10.1.2.3", ingress_port=8000, ingress_node_port=31_000)
    service = recorded.one("kubernetes:helm.sh/v3:Release", "ingress").inputs["values"]["controller"][
        "service"
    ]
    assert ("NodePort", 31_000) == (service["type"], service["nodePorts"]["http"])
    assert ("10.1.2.3", 8000, False) == tuple(
        recorded.exports["ingress"][key] for key in ("address", "port", "tunnelled")
    )


def test_nothing_is_asked_of_its_nodes_and_other_namespaces_are_not_looked_into(existing: Recording) -> None:
    own = {"pr-1-ingress-nginx", "pr-1-apps", "pr-1-monitoring"}
    assert own == set(existing.exports["cluster"]["namespaces"])
    values = existing.one("kubernetes:helm.sh/v3:Release", "ingress").inputs["values"]["controller"]
    assert ({}, []) == (values["nodeSelector"], values["tolerations"])
    config = existing.one("kubernetes:core/v1:ConfigMap", "prometheus").inputs["data"]["prometheus.yml"]
    pods = [
        discovery
        for job in json.loads(config)["scrape_configs"]
        for discovery in job.get("kubernetes_sd_configs", [])
        if discovery["role"] == "pod"
    ]
    assert [own] == [set(one["namespaces"]["names"]) for one in pods]
    kept = [job["metric_relabel_configs"][-1] for job in json.loads(config)["scrape_configs"][:1]]
    assert [(["namespace"], own)] == [(one["source_labels"], set(one["regex"].split("|"))) for one in kept]


def test_in_production_apps_have_more_replicas_that_are_apart_and_may_not_all_go_at_once(
    production: Recording,
) -> None:
    for app in ("foo", "bar"):
        spec = production.one("kubernetes:apps/v1:Deployment", app).inputs["spec"]
        assert spec["replicas"] > 2
        (spread,) = spec["template"]["spec"]["topologySpreadConstraints"]
        assert ("DoNotSchedule", 1) == (spread["whenUnsatisfiable"], spread["maxSkew"])
        budget = production.one("kubernetes:policy/v1:PodDisruptionBudget", app).inputs["spec"]
        assert 1 == budget["maxUnavailable"]


def test_in_production_limits_are_stricter_than_what_goes_without_saying(production: Recording) -> None:
    ordinary = record(lambda: export(build(ci_settings())))

    def limits(recording: Recording) -> tuple[int, int]:
        pod = recording.one("kubernetes:apps/v1:Deployment", "foo").inputs["spec"]["template"]["spec"]
        limits = pod["containers"][0]["resources"]["limits"]
        return int(limits["cpu"].removesuffix("m")), int(limits["memory"].removesuffix("Mi"))

    assert limits(production) < limits(ordinary)
    assert limits(production)[1] < limits(ordinary)[1]


def test_in_production_every_host_answers_over_tls_beside_plain_http(production: Recording) -> None:
    (tls,) = production.one(INGRESS, "apps").inputs["spec"]["tls"]
    assert (["bar.localhost", "foo.localhost"], "certificate") == (tls["hosts"], tls["secretName"])
    values = production.one("kubernetes:helm.sh/v3:Release", "ingress").inputs["values"]["controller"]
    assert values["service"]["enableHttps"]
    assert "false" == values["config"]["ssl-redirect"], "the load is sent in plain"


def test_the_certificate_is_copied_by_a_command_that_never_sees_a_state(production: Recording) -> None:
    copy = production.one(COMMAND, "certificate").inputs
    environment = copy["environment"]
    assert ("certificates", "loadproof") == (environment["SOURCE_NAMESPACE"], environment["SOURCE"])
    assert ("loadproof-apps", "certificate") == (environment["TARGET_NAMESPACE"], environment["TARGET"])
    assert "stderr" == copy["logging"]
    assert "stdin" not in copy
    assert [] == [one for one in production.resources if one.type.endswith(":Secret")]


def test_the_controller_looks_at_the_stacks_own_namespaces_alone(existing: Recording) -> None:
    values = existing.one("kubernetes:helm.sh/v3:Release", "ingress").inputs["values"]["controller"]
    key, _, value = values["scope"]["namespaceSelector"].partition("=")
    namespace = existing.one("kubernetes:core/v1:Namespace", "apps").inputs["metadata"]
    assert value == namespace["labels"][key]


def test_without_a_certificate_there_is_no_tls(existing: Recording) -> None:
    assert "tls" not in existing.one(INGRESS, "apps").inputs["spec"]
    values = existing.one("kubernetes:helm.sh/v3:Release", "ingress").inputs["values"]["controller"]
    assert not values["service"]["enableHttps"]


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"cluster_context": ""}, "cluster_context is not set"),
        ({"namespace_prefix": ""}, "namespace_prefix is not set"),
        ({"namespace_prefix": "pr_1-"}, "namespace_prefix is"),
        ({"namespace_prefix": "pr-1"}, "namespace_prefix is"),
        ({"namespace_prefix": "a-prefix-that-is-too-long-"}, "namespace_prefix is"),
        ({"ingress_certificate": "no-namespace"}, "ingress_certificate is"),
        ({"ingress_certificate": "a/b", "ingress_controller": "traefik"}, "ingress_certificate is set"),
        ({"ingress_address": "not an address"}, "ingress_address is"),
        ({"ingress_address": "10..1"}, "ingress_address is"),
        ({"ingress_node_port": 80}, "ingress_node_port is"),
        ({"cluster_provider": "kind"}, "cluster_context is set"),
    ],
)
def test_what_does_not_go_together_is_told(changed: dict[str, Any], problem: str) -> None:
    assert () == problems(ci_config(**EXISTING))
    found = problems(ci_config(**{**EXISTING, **changed}))
    assert any(one.startswith(problem) for one in found), found


@pytest.mark.parametrize("address", ["10.1.2.3", "fd00::1", "staging.Example.com"])
def test_an_address_or_a_host_name_is_taken_as_it_is(address: str) -> None:
    assert address == ci_settings(**EXISTING, ingress_address=address).ingress.address


def test_a_stack_that_makes_no_cluster_may_have_a_name_that_none_could_have() -> None:
    assert "PR_123" == parse(ci_config(**EXISTING, cluster_name=""), stack="PR_123").stack


@pytest.mark.parametrize("key", ["ingress_address", "ingress_certificate"])
def test_what_only_an_existing_cluster_has_is_a_problem_elsewhere(key: str) -> None:
    (found,) = problems(ci_config(**{key: "a/b" if key == "ingress_certificate" else "10.0.0.1"}))
    assert found.startswith(f"{key} is set")


def test_only_a_tunnel_takes_a_port_of_this_machine() -> None:
    assert {"ingress_port": 80} == ci_settings(**EXISTING).host_ports
    assert {} == ci_settings(**EXISTING, ingress_address="10.1.2.3").host_ports
