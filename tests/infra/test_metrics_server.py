"""The metrics API that autoscalers ask: there for them alone, with no more rights than it needs."""

from datetime import timedelta
from typing import Any

import pytest

from infra.local_images import images_to_load
from tests.infra.configuration import app, ci_settings
from tests.infra.recording import Recording
from tests.infra.test_stack import MONITORING, STACK, deployed

OWN = "loadproof:monitoring:MetricsServer metrics-server"
RBAC = "kubernetes:rbac.authorization.k8s.io/v1"
SCALED = [app("foo", autoscaler={"max_replicas": 3}), app("bar")]
IMAGE = "registry.k8s.io/metrics-server/metrics-server:v0.9.0"


@pytest.fixture(scope="module")
def scaled() -> Recording:
    return deployed(apps=SCALED)


def container(recording: Recording) -> Any:
    spec = recording.one("kubernetes:apps/v1:Deployment", "metrics-server").inputs["spec"]
    (only,) = spec["template"]["spec"]["containers"]
    return only


def test_an_autoscaler_adds_itself_and_one_metrics_server(scaled: Recording) -> None:
    without = deployed(apps=[app("foo"), app("bar")])
    two = deployed(apps=[{**one, "autoscaler": {"max_replicas": 3}} for one in (app("foo"), app("bar"))])

    def identities(recording: Recording) -> set[tuple[str, str, str]]:
        return {(one.type, one.name, one.parent) for one in recording.resources}

    autoscaler = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
    assert {
        (autoscaler, "foo", "loadproof:workloads:App foo"),
        ("loadproof:monitoring:MetricsServer", "metrics-server", STACK),
        ("kubernetes:core/v1:ServiceAccount", "metrics-server", OWN),
        (f"{RBAC}:ClusterRole", "metrics-server", OWN),
        (f"{RBAC}:ClusterRoleBinding", "metrics-server", OWN),
        (f"{RBAC}:ClusterRoleBinding", "metrics-server-auth-delegator", OWN),
        (f"{RBAC}:RoleBinding", "metrics-server-auth-reader", OWN),
        ("kubernetes:apps/v1:Deployment", "metrics-server", OWN),
        ("kubernetes:core/v1:Service", "metrics-server", OWN),
        ("kubernetes:apiregistration.k8s.io/v1:APIService", "metrics-server", OWN),
    } == identities(scaled) - identities(without)
    added_by_the_second = identities(two) - identities(scaled)
    assert {(autoscaler, "bar", "loadproof:workloads:App bar")} == added_by_the_second


def test_a_cluster_that_is_there_already_has_its_own() -> None:
    theirs = deployed(
        apps=SCALED, cluster_provider="existing", cluster_context="theirs", namespace_prefix="pr-1-"
    )
    names = [one.name for one in theirs.resources]
    assert "metrics-server" not in names
    assert "HorizontalPodAutoscaler" in {one.type.rpartition(":")[2] for one in theirs.resources}


def test_it_may_read_nodes_pods_and_metrics_and_nothing_else(scaled: Recording) -> None:
    rules = scaled.one(f"{RBAC}:ClusterRole", "metrics-server").inputs["rules"]
    granted = {(resource, verb) for rule in rules for resource in rule["resources"] for verb in rule["verbs"]}
    reading = {(resource, verb) for resource in ("nodes", "pods") for verb in ("get", "list", "watch")}
    assert reading | {("nodes/metrics", "get")} == granted
    bound = [
        one.inputs["roleRef"]["name"]
        for one in scaled.resources
        if one.parent == OWN and one.type.endswith("Binding")
    ]
    assert {
        "loadproof-metrics-server",
        "system:auth-delegator",
        "extension-apiserver-authentication-reader",
    } == set(bound)


def test_it_looks_as_often_as_it_can_and_gives_a_kubelet_up_in_time(scaled: Recording) -> None:
    flags = dict(flag.removeprefix("--").split("=") for flag in container(scaled)["args"] if "=" in flag)
    resolution = timedelta(seconds=float(flags["metric-resolution"].removesuffix("s")))
    patience = timedelta(seconds=float(flags["kubelet-request-timeout"].removesuffix("s")))
    assert timedelta(seconds=10) == resolution, "it refuses to start with less"
    assert patience <= 0.9 * resolution, "it refuses to start with more"


def test_it_is_within_the_restricted_standard_its_namespace_enforces(scaled: Recording) -> None:
    deployment = scaled.one("kubernetes:apps/v1:Deployment", "metrics-server").inputs
    assert "monitoring" == deployment["metadata"]["namespace"]
    assert ("kubernetes:core/v1:Namespace", "monitoring", MONITORING) in {
        (one.type, one.name, one.parent) for one in scaled.resources
    }
    pod = deployment["spec"]["template"]["spec"]
    assert (True, "RuntimeDefault") == (
        pod["securityContext"]["runAsNonRoot"],
        pod["securityContext"]["seccompProfile"]["type"],
    )
    own = container(scaled)["securityContext"]
    assert (False, True, ["ALL"]) == (
        own["allowPrivilegeEscalation"],
        own["readOnlyRootFilesystem"],
        own["capabilities"]["drop"],
    )


def test_the_api_is_registered_when_somebody_answers_for_it(scaled: Recording) -> None:
    api = scaled.one("kubernetes:apiregistration.k8s.io/v1:APIService", "metrics-server")
    assert "v1beta1.metrics.k8s.io" == api.inputs["metadata"]["name"]
    assert {"name": "metrics-server", "namespace": "monitoring"} == api.inputs["spec"]["service"]
    assert "kubernetes:apps/v1:Deployment metrics-server" in api.depends_on
    deployment = scaled.one("kubernetes:apps/v1:Deployment", "metrics-server").inputs
    assert "annotations" not in deployment["metadata"], "which is waited for, or depending on it says nothing"
    assert deployment["spec"]["minReadySeconds"] >= 3, "two of them are sure, and kube-proxy may take one"


def test_its_image_is_the_pinned_one_and_loaded_from_this_machine(scaled: Recording) -> None:
    assert IMAGE == container(scaled)["image"]
    assert images_to_load(ci_settings(apps=SCALED)) == {IMAGE: False}
    assert IMAGE not in images_to_load(ci_settings())
