"""The whole stack as the engine would get it: every resource, whose it is, and what it is told."""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from infra.clusters.contract import LocalImage
from infra.outputs import export
from infra.parsing import parse
from infra.stack import build
from tests.infra.configuration import app, ci_config, ci_settings
from tests.infra.recording import KUBECONFIG, MADE, Recording, Registration, record

STACK = "pulumi:pulumi:Stack loadproof-test"
CLUSTER = "loadproof:clusters:KindCluster cluster"
INGRESS = "loadproof:ingress:NginxIngress ingress"
APPS = "loadproof:workloads:Apps apps"
MONITORING = "loadproof:monitoring:Prometheus monitoring"

# (type, name, parent): a resource's identity. To change one is to replace what it stands for in every stack.
FIXED = {
    ("loadproof:clusters:KindCluster", "cluster", STACK),
    ("command:local:Command", "cluster", CLUSTER),
    ("command:local:Command", "cluster-kubeconfig", CLUSTER),
    ("command:local:Command", "cluster-images", CLUSTER),
    ("pulumi:providers:kubernetes", "cluster", CLUSTER),
    ("loadproof:ingress:NginxIngress", "ingress", STACK),
    ("kubernetes:core/v1:Namespace", "ingress-nginx", INGRESS),
    ("kubernetes:helm.sh/v3:Release", "ingress", INGRESS),
    ("loadproof:workloads:Apps", "apps", STACK),
    ("kubernetes:core/v1:Namespace", "apps", APPS),
    ("kubernetes:networking.k8s.io/v1:Ingress", "apps", APPS),
    ("loadproof:monitoring:Prometheus", "monitoring", STACK),
    ("kubernetes:core/v1:Namespace", "monitoring", MONITORING),
    ("kubernetes:core/v1:ServiceAccount", "prometheus", MONITORING),
    ("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", "prometheus", MONITORING),
    ("kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding", "prometheus", MONITORING),
    ("kubernetes:core/v1:ConfigMap", "prometheus", MONITORING),
    ("kubernetes:apps/v1:Deployment", "prometheus", MONITORING),
    ("kubernetes:core/v1:Service", "prometheus", MONITORING),
}


def of_app(name: str, *, disruption_budget: bool) -> set[tuple[str, str, str]]:
    own = f"loadproof:workloads:App {name}"
    parts = {
        ("loadproof:workloads:App", name, APPS),
        ("kubernetes:apps/v1:Deployment", name, own),
        ("kubernetes:core/v1:Service", name, own),
        ("kubernetes:networking.k8s.io/v1:NetworkPolicy", name, own),
    }
    budget = ("kubernetes:policy/v1:PodDisruptionBudget", name, own)
    return parts | {budget} if disruption_budget else parts


def deployed(*, preview: bool = False, **changed: Any) -> Recording:
    return record(lambda: export(build(ci_settings(**changed))), preview=preview)


@pytest.fixture(scope="module")
def ci() -> Recording:
    return deployed()


@pytest.mark.parametrize("preview", [False, True], ids=["deployed", "previewed with no cluster"])
def test_the_stack_is_exactly_these_resources(preview: bool) -> None:
    recorded = deployed(preview=preview).resources
    expected = FIXED | of_app("foo", disruption_budget=True) | of_app("bar", disruption_budget=True)
    assert dict.fromkeys(expected, 1) == Counter((one.type, one.name, one.parent) for one in recorded)


def test_a_third_app_adds_its_own_resources_and_nothing_else(ci: Recording) -> None:
    apps = [app("foo", replicas=2), app("bar", replicas=2), app("baz")]
    added = {(one.type, one.name, one.parent) for one in deployed(apps=apps).resources} - {
        (one.type, one.name, one.parent) for one in ci.resources
    }
    assert of_app("baz", disruption_budget=False) == added


def test_an_autoscaler_and_not_the_deployment_says_how_many_replicas_there_are() -> None:
    rule = {
        "min_replicas": 2,
        "max_replicas": 5,
        "target_cpu_percent": 60,
        "scale_up_stabilization_s": 30,
    }
    scaled = deployed(apps=[app("foo", autoscaler=rule), app("bar", replicas=3)])
    deployment = "kubernetes:apps/v1:Deployment"
    assert "replicas" not in scaled.one(deployment, "foo").inputs["spec"], "every `up` would take it back"
    assert 3 == scaled.one(deployment, "bar").inputs["spec"]["replicas"]
    (autoscaler,) = [one for one in scaled.resources if one.type.endswith(":HorizontalPodAutoscaler")]
    assert "foo" == autoscaler.name
    spec = autoscaler.inputs["spec"]
    assert {"apiVersion": "apps/v1", "kind": "Deployment", "name": "foo"} == spec["scaleTargetRef"]
    assert (2, 5) == (spec["minReplicas"], spec["maxReplicas"])
    (metric,) = spec["metrics"]
    assert {"type": "Utilization", "averageUtilization": 60} == metric["resource"]["target"]
    assert {"scaleUp": {"stabilizationWindowSeconds": 30}} == spec["behavior"]
    assert rule == scaled.exports["apps"][0]["autoscaler"]
    assert "autoscaler" not in scaled.exports["apps"][1]


def test_one_ingress_routes_every_host_to_its_service() -> None:
    apps = [app("foo"), app("bar", path="/bar"), app("baz")]
    spec = deployed(apps=apps).one("kubernetes:networking.k8s.io/v1:Ingress", "apps").inputs["spec"]
    assert "nginx" == spec["ingressClassName"]
    assert [
        ("foo.localhost", "/", "foo"),
        ("bar.localhost", "/bar", "bar"),
        ("baz.localhost", "/", "baz"),
    ] == [
        (rule["host"], path["path"], path["backend"]["service"]["name"])
        for rule in spec["rules"]
        for path in rule["http"]["paths"]
    ]


def test_all_that_is_in_the_cluster_is_made_by_the_clusters_own_provider(ci: Recording) -> None:
    inside = [one for one in ci.resources if one.type.startswith("kubernetes:")]
    assert {"cluster::cluster-id"} == {one.provider.rpartition("kubernetes::")[2] for one in inside}
    assert not [one for one in ci.resources if one.provider and one not in inside]


def test_all_that_is_in_the_cluster_goes_away_with_it(ci: Recording) -> None:
    # Children inherit it in the engine; what stands alone has to say it.
    alone = [one for one in ci.resources if one.parent == STACK and one.name != "cluster"]
    assert {"command:local:Command cluster"} == {one.deleted_with for one in alone}
    assert "command:local:Command cluster" == ci.one("pulumi:providers:kubernetes", "cluster").deleted_with


def test_the_cluster_is_made_from_a_document_by_a_text_that_never_changes(ci: Recording) -> None:
    command = ci.one("command:local:Command", "cluster")
    other = deployed(cluster_name="other", cluster_workers=1).one("command:local:Command", "cluster")
    for verb in ("create", "delete"):
        text = f"python3 infra/clusters/kind_command.py {verb}"
        assert text == command.inputs[verb] == other.inputs[verb]
    assert "Cluster" == json.loads(command.inputs["stdin"])["kind"]
    assert "loadproof" == command.inputs["environment"]["CLUSTER_NAME"]
    assert command.delete_before_replace, "the new cluster takes the old one's name and ports"


def test_two_stacks_of_one_clone_can_be_up_at_once_each_with_its_own_way_in() -> None:
    ways = []
    for stack in ("one", "two"):
        settings = parse(ci_config(cluster_name="same"), stack=stack)
        recorded = record(lambda settings=settings: export(build(settings)))  # type: ignore[misc]
        commands = [one for one in recorded.resources if one.type == "command:local:Command"]
        (way,) = {one.inputs["environment"]["KUBECONFIG_PATH"] for one in commands}
        assert recorded.exports["cluster"]["kubeconfig_path"] == way
        ways.append(way)
    assert ways[0] != ways[1]


def test_stacks_with_prefixes_of_their_own_share_no_name_outside_their_namespaces() -> None:
    outside: list[set[tuple[str, str]]] = []
    for prefix in ("", "pr-1-", "pr-2-"):
        recorded = deployed(namespace_prefix=prefix)
        (release,) = [one for one in recorded.resources if one.type.endswith(":Release")]
        (ingress,) = [one for one in recorded.resources if one.type.endswith(":Ingress")]
        names = [(one.type, one.inputs["metadata"]["name"]) for one in recorded.resources if _in_none(one)]
        names += [("release", release.inputs["name"]), ("class", ingress.inputs["spec"]["ingressClassName"])]
        outside.append(set(names))
        assert {one[1].startswith(prefix) for one in names} == {True}
        namespaces = {one.inputs["metadata"]["namespace"] for one in recorded.resources if _inside(one)}
        assert namespaces <= {name for kind, name in names if kind == "kubernetes:core/v1:Namespace"}
    assert len(outside[0] | outside[1] | outside[2]) == sum(map(len, outside))


def _inside(one: Registration) -> bool:
    return "namespace" in one.inputs.get("metadata", {})


def _in_none(one: Registration) -> bool:
    return "metadata" in one.inputs and not _inside(one)


def test_what_a_stack_with_a_prefix_puts_outside_namespaces_is_marked_as_its_own() -> None:
    recorded = deployed(namespace_prefix="pr-1-")
    for one in filter(_in_none, recorded.resources):
        assert "pr-1" == one.inputs["metadata"]["labels"]["loadproof/prefix"], one
    (release,) = [one for one in recorded.resources if one.type.endswith(":Release")]
    assert {"loadproof/prefix": "pr-1"} == release.inputs["values"]["commonLabels"]
    assert "loadproof/prefix=pr-1" == release.inputs["values"]["controller"]["scope"]["namespaceSelector"]


def test_whatever_makes_another_cluster_is_a_trigger(ci: Recording) -> None:
    def triggers(**changed: Any) -> list[str]:
        inputs = deployed(**changed).one("command:local:Command", "cluster").inputs
        assert {inputs["stdin"], *inputs["environment"].values()} <= set(inputs["triggers"])
        return list(inputs["triggers"])

    as_it_is = triggers()
    for changed in (
        {"cluster_workers": 1},
        {"cluster_control_planes": 3},
        {"cluster_kubernetes_version": "1.33.4"},
        {"cluster_name": "x"},
        {"ingress_port": 81},
        {"monitoring_port": 82},
    ):
        assert as_it_is != triggers(**changed), changed


def test_what_is_in_the_cluster_does_not_replace_it() -> None:
    command = ("command:local:Command", "cluster")
    assert deployed().one(*command) == deployed(apps=[app("foo", replicas=5)], load_requests=7).one(*command)


def test_a_new_cluster_means_a_new_kubeconfig_and_a_new_provider(ci: Recording) -> None:
    assert [MADE] == ci.one("command:local:Command", "cluster-kubeconfig").inputs["triggers"]
    provider = ci.one("pulumi:providers:kubernetes", "cluster")
    assert KUBECONFIG == provider.inputs["kubeconfig"]
    assert frozenset({"kubeconfig"}) == provider.replace_on_changes


def with_images(*images: LocalImage) -> Recording:
    return record(lambda: export(build(ci_settings(), images)))


def echo(image_id: str) -> LocalImage:
    return LocalImage(reference="hashicorp/http-echo:1.0.0", image_id=image_id, on_ingress_node=False)


def test_images_of_this_machine_are_loaded_where_they_may_run() -> None:
    controller = LocalImage(reference="controller:1", image_id="sha256:c", on_ingress_node=True)
    command = with_images(echo("sha256:a"), controller).one("command:local:Command", "cluster-images")
    assert {
        "ingress": {"controller:1": "sha256:c"},
        "ordinary": {"hashicorp/http-echo:1.0.0": "sha256:a"},
    } == json.loads(command.inputs["environment"]["IMAGES"])


def test_an_image_built_anew_is_loaded_into_the_cluster_that_is_there_and_starts_new_pods() -> None:
    before, after = with_images(echo("sha256:a")), with_images(echo("sha256:b"))
    cluster, images = (("command:local:Command", name) for name in ("cluster", "cluster-images"))
    assert before.one(*cluster) == after.one(*cluster)
    assert before.one(*images).inputs["environment"] != after.one(*images).inputs["environment"]
    assert [MADE] == before.one(*images).inputs["triggers"] == after.one(*images).inputs["triggers"]

    def pod(recorded: Recording) -> Any:
        return recorded.one("kubernetes:apps/v1:Deployment", "foo").inputs["spec"]["template"]["metadata"]

    assert (
        "sha256:b"
        == pod(after)["annotations"]["loadproof/image"]
        != pod(before)["annotations"]["loadproof/image"]
    )


@pytest.mark.parametrize("images", [(), (echo("sha256:a"),)], ids=["none", "one"])
def test_nothing_is_put_into_the_cluster_before_its_images(images: tuple[LocalImage, ...]) -> None:
    """Where there are any: without, it takes a tenth of a second to find out that there is nothing to do."""
    provider = with_images(*images).one("pulumi:providers:kubernetes", "cluster")
    assert bool(images) is ("command:local:Command cluster-images" in provider.depends_on)


def test_the_kubeconfig_is_secret_wherever_it_passes(ci: Recording) -> None:
    kubeconfig = ci.one("command:local:Command", "cluster-kubeconfig")
    assert "none" == kubeconfig.inputs["logging"]
    assert frozenset({"stdout", "stderr"}) == kubeconfig.secret_outputs
    assert "kubeconfig" in ci.one("pulumi:providers:kubernetes", "cluster").secrets
    elsewhere = [one for one in ci.resources if one.type != "pulumi:providers:kubernetes"]
    assert not [one for one in elsewhere if KUBECONFIG in json.dumps(one.inputs)]
    assert frozenset({"kubeconfig"}) == ci.secret_exports
    assert [] == [
        name for name, value in ci.exports.items() if name != "kubeconfig" and KUBECONFIG in str(value)
    ]


def test_every_pod_is_within_the_restricted_standard_its_namespace_enforces(ci: Recording) -> None:
    namespaces = [one for one in ci.resources if one.type == "kubernetes:core/v1:Namespace"]
    for namespace in namespaces:
        assert "restricted" == namespace.inputs["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
    for one in ci.resources:
        if one.type == "kubernetes:apps/v1:Deployment":
            pod = one.inputs["spec"]["template"]["spec"]
            assert pod["securityContext"]["runAsNonRoot"]
            assert "RuntimeDefault" == pod["securityContext"]["seccompProfile"]["type"]
            for container in pod["containers"]:
                own = container["securityContext"]
                assert (False, True, ["ALL"]) == (
                    own["allowPrivilegeEscalation"],
                    own["readOnlyRootFilesystem"],
                    own["capabilities"]["drop"],
                )


def test_who_serves_is_asked_each_second_from_the_start_and_restarted_by_nobody_for_a_minute(
    ci: Recording,
) -> None:
    deployments = [one for one in ci.resources if one.type == "kubernetes:apps/v1:Deployment"]
    found = {
        one.name: container
        for one in deployments
        for container in one.inputs["spec"]["template"]["spec"]["containers"]
    }
    for name, patience_s in (("foo", 6), ("prometheus", 15)):
        ready, alive = found[name]["readinessProbe"], found[name]["livenessProbe"]
        assert "startupProbe" not in found[name]
        assert (1, patience_s) == (ready["periodSeconds"], ready["failureThreshold"])
        assert not ready.get("initialDelaySeconds")
        assert (60, 10, 3) == tuple(
            alive[key] for key in ("initialDelaySeconds", "periodSeconds", "failureThreshold")
        )


def test_every_container_has_requests_limits_probes_and_a_pinned_image(ci: Recording) -> None:
    deployments = [one for one in ci.resources if one.type == "kubernetes:apps/v1:Deployment"]
    for one in deployments:
        for container in one.inputs["spec"]["template"]["spec"]["containers"]:
            assert {"requests", "limits"} <= set(container["resources"])
            assert {"readinessProbe", "livenessProbe"} <= set(container)
            assert ":" in container["image"], container["image"]
            assert "latest" not in container["image"]


def test_pulumi_does_not_wait_for_what_the_health_check_waits_for(ci: Recording) -> None:
    awaited = (":Deployment", ":Service", ":Ingress")
    for one in ci.resources:
        if one.type.startswith("kubernetes:") and one.type.endswith(awaited):
            assert "true" == one.inputs["metadata"]["annotations"]["pulumi.com/skipAwait"], one
    assert ci.one("kubernetes:helm.sh/v3:Release", "ingress").inputs["skipAwait"]


def test_only_the_ingress_reaches_an_app(ci: Recording) -> None:
    policy = ci.one("kubernetes:networking.k8s.io/v1:NetworkPolicy", "foo").inputs["spec"]
    (rule,) = policy["ingress"]
    (source,) = rule["from"]
    assert {"kubernetes.io/metadata.name": "ingress-nginx"} == source["namespaceSelector"]["matchLabels"]
    assert [{"port": 5678}] == rule["ports"]


def test_prometheus_may_read_nodes_pods_and_metrics_and_nothing_else(ci: Recording) -> None:
    rules = ci.one("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", "prometheus").inputs["rules"]
    granted = {(resource, verb) for rule in rules for resource in rule["resources"] for verb in rule["verbs"]}
    reading = {(resource, verb) for resource in ("nodes", "pods") for verb in ("get", "list", "watch")}
    assert reading | {("nodes/metrics", "get")} == granted


def test_prometheus_can_be_asked_before_the_cluster_has_found_it_ready(ci: Recording) -> None:
    assert ci.one("kubernetes:core/v1:Service", "prometheus").inputs["spec"]["publishNotReadyAddresses"]


def test_a_changed_scrape_config_starts_a_new_prometheus() -> None:
    def pod_annotations(**changed: Any) -> Any:
        deployment = deployed(**changed).one("kubernetes:apps/v1:Deployment", "prometheus")
        return deployment.inputs["spec"]["template"]["metadata"]["annotations"]

    assert pod_annotations() != pod_annotations(monitoring_scrape_interval_s=3)


def test_all_that_nobody_has_to_ask_the_cluster_for_is_known_before_anything_is_created(
    ci: Recording,
) -> None:
    def known(exports: Mapping[str, Any]) -> dict[str, Any]:
        cluster = {**exports["cluster"], "kubernetes_version": None}
        return {**exports, "cluster": cluster, "kubeconfig": None}

    assert known(ci.exports) == known(deployed(preview=True).exports)


def test_the_version_of_kubernetes_is_the_one_that_runs_whatever_the_configuration_says() -> None:
    own = deployed(cluster_node_image="my/node:1", cluster_kubernetes_version="1.33.4")
    assert json.loads(MADE)["kubernetes"] == own.exports["cluster"]["kubernetes_version"]


def test_the_exports_are_these(ci: Recording) -> None:
    of_load = {"load", "load_pods", "slo", "validity", "chaos"}
    names = {"schema_version", "cluster", "ingress", "apps", "monitoring", "kubeconfig"} | of_load
    assert names == set(ci.exports)


def test_a_release_of_the_same_name_is_never_made_beside_the_old_one(ci: Recording) -> None:
    release = ci.one("kubernetes:helm.sh/v3:Release", "ingress")
    assert "ingress-nginx" == release.inputs["name"]
    assert release.delete_before_replace
