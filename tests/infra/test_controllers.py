"""Every controller of the table, by what its chart makes of its values: another row is another case."""

from pathlib import Path
from typing import Any

import pytest

from infra.ingress import CONTROLLERS
from infra.labels import INGRESS_NODE
from infra.outputs import export
from infra.stack import INGRESS_NODE_PORT, build
from tests.infra.configuration import ci_settings
from tests.infra.recording import Recording, record
from tests.infra.rendering import ChartRefusedError, one, rendered

RELEASE = "kubernetes:helm.sh/v3:Release"


class Installed:
    """A stack with this controller, and what is in the cluster once its chart is installed."""

    def __init__(self, controller: str, folder: Path) -> None:
        self.stack: Recording = record(lambda: export(build(ci_settings(ingress_controller=controller))))
        self.exported: dict[str, Any] = self.stack.exports["ingress"]
        self.objects = rendered(self.stack.one(RELEASE, "ingress").inputs, folder)

    @property
    def pods(self) -> dict[str, Any]:
        template: dict[str, Any] = one(self.objects, "Deployment")["spec"]["template"]
        return template


@pytest.fixture(scope="module", params=sorted(CONTROLLERS))
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return Installed(request.param, tmp_path_factory.mktemp("chart"))


def test_plain_http_enters_at_the_node_port_and_nothing_else_does(installed: Installed) -> None:
    services = [document for document in installed.objects if document["kind"] == "Service"]
    (service,) = [one for one in services if one["spec"]["type"] != "ClusterIP"]
    assert installed.exported["namespace"] == service["metadata"]["namespace"]
    assert [(80, INGRESS_NODE_PORT)] == [
        (port["port"], port["nodePort"]) for port in service["spec"]["ports"]
    ]
    assert "Local" == service["spec"]["externalTrafficPolicy"], "no second hop, no rewritten source"


def test_it_runs_on_the_node_whose_ports_are_mapped(installed: Installed) -> None:
    pod = installed.pods["spec"]
    assert INGRESS_NODE.items() <= pod["nodeSelector"].items()
    assert "node-role.kubernetes.io/control-plane" in [one["key"] for one in pod["tolerations"]]


def test_its_class_is_the_one_that_the_apps_ingress_asks_for(installed: Installed) -> None:
    asked_for = installed.stack.one("kubernetes:networking.k8s.io/v1:Ingress", "apps").inputs["spec"]
    assert one(installed.objects, "IngressClass")["metadata"]["name"] == asked_for["ingressClassName"]


def test_its_class_is_nobodys_default(installed: Installed) -> None:
    annotations = one(installed.objects, "IngressClass")["metadata"].get("annotations", {})
    assert "true" != annotations.get("ingressclass.kubernetes.io/is-default-class"), (
        "others use the cluster too"
    )


def test_its_pods_are_within_the_restricted_standard_its_namespace_enforces(installed: Installed) -> None:
    namespace = installed.exported["namespace"]
    labels = installed.stack.one("kubernetes:core/v1:Namespace", namespace).inputs["metadata"]["labels"]
    assert "restricted" == labels["pod-security.kubernetes.io/enforce"]
    pod = installed.pods["spec"]
    (container,) = pod["containers"]
    either = {**pod.get("securityContext", {}), **container["securityContext"]}
    assert either["runAsNonRoot"]
    assert "RuntimeDefault" == either["seccompProfile"]["type"]
    assert not either["allowPrivilegeEscalation"]
    assert ["ALL"] == either["capabilities"]["drop"]
    assert {*either["capabilities"].get("add", [])} <= {"NET_BIND_SERVICE"}


def test_prometheus_is_sent_to_a_port_that_its_pods_have_or_to_none(installed: Installed) -> None:
    annotations = installed.pods["metadata"].get("annotations", {})
    (container,) = installed.pods["spec"]["containers"]
    ports = {str(port["containerPort"]) for port in container["ports"]}
    assert {value for name, value in annotations.items() if name == "prometheus.io/port"} <= ports


def test_it_runs_the_exported_image_which_no_node_pulls_again(installed: Installed) -> None:
    (container,) = installed.pods["spec"]["containers"]
    assert installed.exported["image"] == container["image"].removeprefix("docker.io/")
    assert "IfNotPresent" == container["imagePullPolicy"]
    assert {"cpu", "memory"} <= set(container["resources"]["requests"])


def test_a_pod_that_came_up_is_asked_each_second_from_the_first_on(installed: Installed) -> None:
    (container,) = installed.pods["spec"]["containers"]
    probe = container["readinessProbe"]
    assert (0, 1) == (probe.get("initialDelaySeconds", 0), probe["periodSeconds"])


def test_the_charts_own_version_is_the_one_that_is_exported(installed: Installed) -> None:
    assert installed.exported["chart_version"]
    chart = installed.stack.one(RELEASE, "ingress").inputs["chart"]
    assert f"version: {installed.exported['chart_version']}\n" in Path(chart, "Chart.yaml").read_text()


def test_the_stand_in_for_traefiks_chart_takes_no_value_it_does_not_know(tmp_path: Path) -> None:
    release = {
        "name": "x",
        "namespace": "x",
        "chart": "toolchain/charts/traefik",
        "values": {"ports": {"web": {"hostPort": 80}}},
    }
    with pytest.raises(ChartRefusedError, match="hostPort"):
        rendered(release, tmp_path)
