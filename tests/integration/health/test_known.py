"""What the ingress knows of the pods: a program answers as kubectl does, a server as the controller."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from loadtest.cluster.kubectl import Kubectl
from loadtest.health.known import KnownByTime, KnownToNginx, pods_known
from loadtest.target import TargetEnvironment
from tests.integration.fake_program import FakeProgram, fake_program
from tests.integration.loopback import Answer, loopback_server
from tests.unit.monitoring.values import target

CONTROLLER = ("ingress", "ingress-nginx-controller-1", "10.244.0.5")
FOO_1, FOO_2, BAR_1 = (
    ("apps", "foo-1", "10.244.1.2"),
    ("apps", "foo-2", "10.244.2.2"),
    ("apps", "bar-1", "10.244.1.3"),
)
PROMETHEUS = ("monitoring", "prometheus-1", "10.244.1.9")
OWN = {"name": "upstream-default-backend", "endpoints": [{"address": "127.0.0.1", "port": "8181"}]}


@pytest.fixture
def program(tmp_path: Path) -> FakeProgram:
    return fake_program(tmp_path, "kubectl")


@pytest.fixture
def kubectl(program: FakeProgram) -> Kubectl:
    return Kubectl(kubeconfig_path="k", context="c", program=program.path)


def pod(
    name: tuple[str, str, str], *, ready: str = "True", since: str = "", **metadata: str
) -> Mapping[str, object]:
    namespace, own, address = name
    condition = {"type": "Ready", "status": ready, "lastTransitionTime": since}
    return {
        "metadata": {"name": own, "namespace": namespace, **metadata},
        "status": {"podIP": address, "conditions": [condition]},
    }


def backend(name: str, *pods: tuple[str, str, str]) -> Mapping[str, object]:
    """As a controller tells it, cut down; one that nothing serves has no endpoints at all."""
    told = {"name": name, "port": "http", "sslPassthrough": False}
    return {**told, "endpoints": [{"address": one[2], "port": "5678"} for one in pods]} if pods else told


class TestKnownToNginx:
    @pytest.fixture(autouse=True)
    def workers_read_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("loadtest.health.known._WORKERS_READ_S", 0.0)

    def obstacle(
        self,
        program: FakeProgram,
        kubectl: Kubectl,
        pods: Sequence[Mapping[str, object]],
        answer: Sequence[Mapping[str, object]] | Answer,
    ) -> str | None:
        told = answer if isinstance(answer, Answer) else Answer(body=json.dumps(answer).encode())
        with loopback_server(lambda asked: told) as server:
            program.answers(
                {
                    "get pods --all-namespaces": {"stdout": json.dumps({"items": pods})},
                    "port-forward": {
                        "stdout": f"Forwarding from 127.0.0.1:{server.port} -> 10246\n",
                        "stays_s": 60,
                    },
                }
            )
            found = KnownToNginx(target=target(), kubectl=kubectl).obstacle(5)
            assert {one.path for one in server.asked} <= {"/configuration/backends"}
        return found

    def test_all_pods_among_its_endpoints_are_known(self, program: FakeProgram, kubectl: Kubectl) -> None:
        pods = [pod(CONTROLLER), pod(FOO_1), pod(FOO_2), pod(BAR_1), pod(PROMETHEUS)]
        told = [backend("apps-foo-http", FOO_1, FOO_2), backend("apps-bar-http", BAR_1), OWN]
        assert self.obstacle(program, kubectl, pods, told) is None
        (forward,) = [" ".join(one) for one in program.asked() if "port-forward" in one]
        assert forward.endswith(
            "--namespace ingress port-forward --address 127.0.0.1 pod/ingress-nginx-controller-1 :10246"
        )

    def test_one_that_is_not_is_named(self, program: FakeProgram, kubectl: Kubectl) -> None:
        pods = [pod(CONTROLLER), pod(FOO_1), pod(FOO_2), pod(BAR_1)]
        told = [backend("apps-foo-http", FOO_1), backend("apps-bar-http"), OWN]
        assert self.obstacle(program, kubectl, pods, told) == (
            "the ingress does not know pod apps/foo-2 yet; the ingress does not know pod apps/bar-1 yet"
        )

    def test_an_address_whose_pod_is_gone_is_an_obstacle_as_well(
        self, program: FakeProgram, kubectl: Kubectl
    ) -> None:
        pods = [pod(CONTROLLER), pod(FOO_1), pod(FOO_2, deletionTimestamp="2026-11-21T12:00:00Z")]
        told = [backend("apps-foo-http", FOO_1, FOO_2), OWN]
        assert self.obstacle(program, kubectl, pods, told) == (
            "the ingress still knows 10.244.2.2, where no pod is ready"
        )

    def test_a_pod_that_is_not_ready_need_not_be_known(self, program: FakeProgram, kubectl: Kubectl) -> None:
        pods = [pod(CONTROLLER), pod(FOO_1), pod(FOO_2, ready="False")]
        assert self.obstacle(program, kubectl, pods, [backend("apps-foo-http", FOO_1), OWN]) is None

    def test_what_it_knows_of_other_namespaces_does_not_matter(
        self, program: FakeProgram, kubectl: Kubectl
    ) -> None:
        told = [backend("apps-foo-http", FOO_1), backend("other-foo-http", FOO_2), OWN]
        assert self.obstacle(program, kubectl, [pod(CONTROLLER), pod(FOO_1)], told) is None

    def test_every_controller_is_asked(self, program: FakeProgram, kubectl: Kubectl) -> None:
        second = ("ingress", "ingress-nginx-controller-2", "10.244.0.6")
        pods = [pod(CONTROLLER), pod(second), pod(FOO_1)]
        assert self.obstacle(program, kubectl, pods, [backend("apps-foo-http", FOO_1)]) is None
        asked = [one[-2] for one in program.asked() if "port-forward" in one]
        assert asked == ["pod/ingress-nginx-controller-1", "pod/ingress-nginx-controller-2"]

    def test_without_a_controller_nothing_is_known(self, program: FakeProgram, kubectl: Kubectl) -> None:
        pods = [pod(CONTROLLER, ready="False"), pod(FOO_1)]
        assert self.obstacle(program, kubectl, pods, []) == "no controller of the ingress is ready"

    @pytest.mark.parametrize(
        ("answer", "words"),
        [
            (Answer(status=404), "404"),
            (Answer(body=b"nil"), "truncated"),  # what it says before it was told anything
            (Answer(body=b'[{"endpoints": []}]'), "name"),
        ],
    )
    def test_an_answer_that_says_nothing_is_no_knowledge(
        self, program: FakeProgram, kubectl: Kubectl, answer: Answer, words: str
    ) -> None:
        obstacle = self.obstacle(program, kubectl, [pod(CONTROLLER), pod(FOO_1)], answer) or ""
        assert obstacle.startswith("ingress-nginx-controller-1 does not say what it knows: ")
        assert words in obstacle


def test_the_workers_of_nginx_get_the_second_in_which_they_read_it(
    program: FakeProgram, kubectl: Kubectl
) -> None:
    """Right after it was told, a worker still sends requests to the pods of before."""
    with loopback_server(lambda asked: Answer(body=b"[]")) as server:
        program.answers(
            {
                "get pods": {"stdout": json.dumps({"items": [pod(CONTROLLER)]})},
                "port-forward": {"stdout": f"Forwarding from 127.0.0.1:{server.port} -> 1\n", "stays_s": 60},
            }
        )
        began_s = time.monotonic()
        assert KnownToNginx(target=target(), kubectl=kubectl).obstacle(5) is None
    assert time.monotonic() - began_s > 1.0


class TestKnownByTime:
    def obstacle(self, program: FakeProgram, kubectl: Kubectl, *pods: Mapping[str, object]) -> str | None:
        program.answers({"get pods --all-namespaces": {"stdout": json.dumps({"items": pods})}})
        return KnownByTime(target=target(), kubectl=kubectl).obstacle(5)

    def ready_for_s(self, name: tuple[str, str, str], age_s: float) -> Mapping[str, object]:
        since = datetime.now(UTC) - timedelta(seconds=age_s)
        return pod(name, since=f"{since:%Y-%m-%dT%H:%M:%SZ}")  # in whole seconds, as the API does

    def test_a_pod_is_known_once_it_has_been_ready_for_longer_than_the_ingress_takes(
        self, program: FakeProgram, kubectl: Kubectl
    ) -> None:
        assert self.obstacle(program, kubectl, self.ready_for_s(FOO_1, 4)) is None

    def test_one_that_has_just_become_ready_may_not_be(self, program: FakeProgram, kubectl: Kubectl) -> None:
        obstacle = self.obstacle(program, kubectl, self.ready_for_s(FOO_1, 0))
        assert "pod apps/foo-1 has just become ready" in (obstacle or "")

    def test_only_the_apps_matter(self, program: FakeProgram, kubectl: Kubectl) -> None:
        assert self.obstacle(program, kubectl, self.ready_for_s(PROMETHEUS, 0)) is None


@pytest.mark.parametrize(("controller", "check"), [("nginx", KnownToNginx), ("traefik", KnownByTime)])
def test_who_can_be_asked_is(controller: str, check: type, kubectl: Kubectl) -> None:
    stack: TargetEnvironment = target()
    stack = replace(stack, ingress=replace(stack.ingress, controller=controller))
    assert type(pods_known(stack, kubectl)) is check
