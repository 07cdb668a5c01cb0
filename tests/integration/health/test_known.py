"""What the ingress knows of the pods: a program answers as kubectl does, a server as the controller."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest

from infra.ingress import CONTROLLERS
from infra.ingress.contract import IngressArgs
from infra.ingress.nginx import nginx_values
from infra.naming import Naming
from loadtest.cluster.kubectl import Kubectl
from loadtest.cluster.port_forward import KeptForwards, kept_forwards
from loadtest.errors import UnhealthyError
from loadtest.health.known import NEWS, KnownByTime, KnownToNginx, WayToNginx, pods_known, ways_to_ask
from loadtest.target import TargetEnvironment
from tests.integration.fake_program import FakeProgram
from tests.integration.loopback import Answer, loopback_server
from tests.ports import free_port
from tests.unit.monitoring.values import target
from tests.waiting import runs

CONTROLLER = ("ingress", "ingress-nginx-controller-1", "10.244.0.5")
SECOND_CONTROLLER = ("ingress", "ingress-nginx-controller-2", "10.244.0.6")
FOO_1, FOO_2, BAR_1 = (
    ("apps", "foo-5d8f7c9b4-x2k9z", "10.244.1.2"),
    ("apps", "foo-5d8f7c9b4-q4w7n", "10.244.2.2"),
    ("apps", "bar-6f7d8b9c5-q4w7n", "10.244.1.3"),
)
STRANGER = ("apps", "debug", "10.244.1.9")
NEWSY = {"stdout": f"10.0.0.1 - GET /\nI1122 04:15:24.3 7 main.go:239] {NEWS}.\n10.0.0.1 - GET /\n"}
FORBIDDEN = {"code": 1, "stderr": 'pods "ingress-nginx-controller-1" is forbidden: cannot get "pods/log"'}
VALUES = nginx_values(IngressArgs(naming=Naming(), node_port=1, node_labels={}), image="nginx:1")
# As the chart writes them.
ARGS = [f"--{name}={value}" for name, value in VALUES["controller"]["extraArgs"].items()]
OWN = {"name": "upstream-default-backend", "endpoints": [{"address": "127.0.0.1", "port": "8181"}]}


def pod(
    name: tuple[str, str, str],
    *,
    ready: str = "True",
    since: str = "",
    phase: str = "Running",
    **metadata: str,
) -> Mapping[str, object]:
    namespace, own, address = name
    condition = {"type": "Ready", "status": ready, "lastTransitionTime": since}
    return {
        "metadata": {"name": own, "namespace": namespace, **metadata},
        "spec": {"containers": [{"name": "controller", "args": ARGS}]},
        "status": {"podIP": address, "phase": phase, "conditions": [condition]},
    }


def backend(name: str, *pods: tuple[str, str, str]) -> Mapping[str, object]:
    """As a controller tells it, cut down; one that nothing serves has no endpoints at all."""
    told = {"name": name, "port": "http", "sslPassthrough": False}
    return {**told, "endpoints": [{"address": one[2], "port": "5678"} for one in pods]} if pods else told


def pods_by_namespace(pods: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, object]]:
    """kubectl's answers to who asks for those of one namespace."""
    return {
        f"get pods --namespace={namespace}": {
            "stdout": json.dumps(
                {"items": [one for one in pods if one["metadata"]["namespace"] == namespace]}
            )
        }
        for namespace in ("ingress", "apps")
    }


class TestKnownToNginx:
    @pytest.fixture(autouse=True)
    def waited_s(self, monkeypatch: pytest.MonkeyPatch) -> list[float]:
        """How long the workers of nginx were given to read what the controller knows."""
        waited_s: list[float] = []
        clock = SimpleNamespace(sleep=waited_s.append, monotonic=lambda: sum(waited_s))
        monkeypatch.setattr("loadtest.health.known.time", clock)
        return waited_s

    def obstacle(
        self,
        program: FakeProgram,
        kubectl: Kubectl,
        pods: Sequence[Mapping[str, object]],
        answer: Sequence[Mapping[str, object]] | Answer,
        log: Mapping[str, object] = MappingProxyType({}),
        log_of_second: Mapping[str, object] = MappingProxyType({}),
    ) -> str | None:
        told = answer if isinstance(answer, Answer) else Answer(body=json.dumps(answer).encode())
        with loopback_server(lambda asked: told) as server:
            program.answers(
                {
                    **pods_by_namespace(pods),
                    "logs ingress-nginx-controller-1": dict(log),
                    "logs ingress-nginx-controller-2": dict(log_of_second),
                    "port-forward": {
                        "stdout": f"Forwarding from 127.0.0.1:{server.port} -> 10246\n",
                        "stays_s": 60,
                    },
                }
            )
            with kept_forwards(kubectl) as forwards:
                found = KnownToNginx(target=target(), kubectl=kubectl, forwards=forwards).obstacle(5)
            assert {one.path for one in server.asked} <= {"/configuration/backends"}
        return found

    def test_all_pods_among_its_endpoints_are_known(self, program: FakeProgram, kubectl: Kubectl) -> None:
        pods = [pod(CONTROLLER), pod(FOO_1), pod(FOO_2), pod(BAR_1), pod(STRANGER)]
        told = [backend("apps-foo-http", FOO_1, FOO_2), backend("apps-bar-http", BAR_1), OWN]
        assert self.obstacle(program, kubectl, pods, told) is None
        (forward,) = [" ".join(one) for one in program.asked() if "port-forward" in one]
        assert forward.endswith(
            "--namespace ingress port-forward --address 127.0.0.1 pod/ingress-nginx-controller-1 :10246"
        )

    def test_news_that_a_worker_may_not_have_read_stands_in_the_way(
        self, program: FakeProgram, kubectl: Kubectl, waited_s: list[float]
    ) -> None:
        obstacle = self.obstacle(program, kubectl, [pod(CONTROLLER)], [OWN], NEWSY)
        assert obstacle == "the ingress had news for its workers within the last second"
        assert 1 < sum(waited_s) < 1.2, "later it may be news of something else"

    def test_it_is_waited_for_until_it_is_a_second_old(
        self, program: FakeProgram, kubectl: Kubectl, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """However long that is, but for what was asked to be still true."""
        logs = iter([NEWS, NEWS, "old", "old", "not read any more"])
        monkeypatch.setattr(Kubectl, "log", lambda *_, **__: next(logs))
        assert self.obstacle(program, kubectl, [pod(CONTROLLER)], [OWN]) is None
        assert next(logs) == "not read any more"

    def test_a_log_that_can_be_read_once_and_not_again_tells_nothing(
        self,
        program: FakeProgram,
        kubectl: Kubectl,
        waited_s: list[float],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        logs = iter([""])

        def read(*_: object, **__: object) -> str:
            for text in logs:
                return text
            raise UnhealthyError("planted")

        monkeypatch.setattr(Kubectl, "log", read)
        assert self.obstacle(program, kubectl, [pod(CONTROLLER)], [OWN]) is None
        assert sum(waited_s) == pytest.approx(1.1)

    def test_news_that_came_into_the_log_a_moment_late_is_not_missed(
        self, program: FakeProgram, kubectl: Kubectl, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        logs = iter(["", NEWS, "", "", "not read any more"])
        monkeypatch.setattr(Kubectl, "log", lambda *_, **__: next(logs))
        assert self.obstacle(program, kubectl, [pod(CONTROLLER)], [OWN]) is None
        assert next(logs) == "not read any more"

    def test_where_there_was_none_for_a_second_only_who_is_late_is_waited_for(
        self, program: FakeProgram, kubectl: Kubectl, waited_s: list[float]
    ) -> None:
        log = {"stdout": "10.0.0.1 - GET /\nI1122 04:15:24.3 7 main.go:101] SSL fake certificate created\n"}
        assert self.obstacle(program, kubectl, [pod(CONTROLLER)], [OWN], log) is None
        assert waited_s == [0.1]
        asked, again = [" ".join(one) for one in program.asked() if "logs" in one]
        assert asked == again
        assert asked.endswith(
            "logs ingress-nginx-controller-1 --namespace=ingress --container=controller --since=1s"
        )

    @pytest.mark.parametrize(
        ("args", "log"),
        [([], {}), (["--v=1"], {}), (ARGS, FORBIDDEN)],
        ids=["no verbosity", "too little of it", "a log that may not be read"],
    )
    def test_the_workers_get_the_second_in_which_each_reads_news_where_none_is_told_of(
        self,
        program: FakeProgram,
        kubectl: Kubectl,
        waited_s: list[float],
        args: Sequence[str],
        log: Mapping[str, object],
    ) -> None:
        quiet = {**pod(CONTROLLER), "spec": {"containers": [{"name": "controller", "args": args}]}}
        assert self.obstacle(program, kubectl, [quiet], [OWN], log) is None
        assert sum(waited_s) == pytest.approx(1.1)

    def test_the_one_with_news_stands_in_the_way_for_all(
        self, program: FakeProgram, kubectl: Kubectl, waited_s: list[float]
    ) -> None:
        pods = [pod(CONTROLLER), pod(SECOND_CONTROLLER)]
        assert "had news" in (self.obstacle(program, kubectl, pods, [OWN], log_of_second=NEWSY) or "")
        assert 1 < sum(waited_s) < 1.2

    def test_the_one_whose_log_is_silent_for_good_is_waited_for(
        self, program: FakeProgram, kubectl: Kubectl, waited_s: list[float]
    ) -> None:
        pods = [pod(CONTROLLER), pod(SECOND_CONTROLLER)]
        assert self.obstacle(program, kubectl, pods, [OWN], log_of_second=FORBIDDEN) is None
        assert sum(waited_s) == pytest.approx(1.1)

    def test_they_get_none_to_read_what_is_not_there(
        self, program: FakeProgram, kubectl: Kubectl, waited_s: list[float]
    ) -> None:
        assert self.obstacle(program, kubectl, [pod(CONTROLLER), pod(FOO_1)], [OWN])
        assert waited_s == []

    def test_only_the_two_namespaces_are_asked_for_and_only_controllers_of_the_one(
        self, program: FakeProgram
    ) -> None:
        """Where a stack may look into some namespaces alone, each of them would be a call of its own."""
        narrow = Kubectl(
            kubeconfig_path="k",
            context="c",
            program=program.path,
            namespaces=("ingress", "apps", "monitoring"),
        )
        assert self.obstacle(program, narrow, [pod(CONTROLLER)], [OWN]) is None
        ingress, apps = [one for one in program.asked() if "get" in one]
        assert {"--namespace=ingress", "--selector=app.kubernetes.io/component=controller"} <= set(ingress)
        assert "--namespace=apps" in apps

    def test_one_that_is_not_is_named(self, program: FakeProgram, kubectl: Kubectl) -> None:
        pods = [pod(CONTROLLER), pod(FOO_1), pod(FOO_2), pod(BAR_1)]
        told = [backend("apps-foo-http", FOO_1), backend("apps-bar-http"), OWN]
        assert self.obstacle(program, kubectl, pods, told) == (
            "the ingress does not know pod apps/foo-5d8f7c9b4-q4w7n yet; "
            "the ingress does not know pod apps/bar-6f7d8b9c5-q4w7n yet"
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
        pods = [pod(CONTROLLER), pod(SECOND_CONTROLLER), pod(FOO_1)]
        assert self.obstacle(program, kubectl, pods, [backend("apps-foo-http", FOO_1)]) is None
        asked = [one[-2] for one in program.asked() if "port-forward" in one]
        assert asked == ["pod/ingress-nginx-controller-1", "pod/ingress-nginx-controller-2"]

    def test_without_a_controller_nothing_is_known(self, program: FakeProgram, kubectl: Kubectl) -> None:
        pods = [pod(CONTROLLER, ready="False"), pod(FOO_1)]
        assert self.obstacle(program, kubectl, pods, []) == "no controller of the ingress is ready"

    @pytest.mark.parametrize(
        ("answer", "words"),
        [
            (Answer(status=404, body=b"[]"), "status 404"),
            (Answer(body=b"<html>"), "malformed"),
            (Answer(body=b'[{"name": "\xff"}]'), "utf-8"),
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


class TestWayToNginx:
    """Opened before it is needed; the server that it leads to may go and come back."""

    BACKENDS = (backend("apps-foo-http", FOO_1), OWN)

    @pytest.fixture(autouse=True)
    def no_time_passes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clock = SimpleNamespace(sleep=lambda seconds: None, monotonic=lambda: 0.0)
        monkeypatch.setattr("loadtest.health.known.time", clock)

    def answers(self, program: FakeProgram, pods: Sequence[Mapping[str, object]], port: int) -> None:
        forwarding = {"stdout": f"Forwarding from 127.0.0.1:{port} -> 10246\n", "stays_s": 60}
        program.answers({**pods_by_namespace(pods), "logs": {}, "port-forward": forwarding})

    def opened(self, program: FakeProgram) -> list[str]:
        return [one[-2] for one in program.asked() if "port-forward" in one]

    def way(self, kubectl: Kubectl, forwards: KeptForwards) -> WayToNginx:
        return WayToNginx(target=target(), kubectl=kubectl, forwards=forwards)

    def known(self, kubectl: Kubectl, forwards: KeptForwards) -> KnownToNginx:
        return KnownToNginx(target=target(), kubectl=kubectl, forwards=forwards)

    def test_it_is_open_to_a_controller_that_runs_before_it_is_ready(
        self, program: FakeProgram, kubectl: Kubectl
    ) -> None:
        starting = [pod(CONTROLLER, phase="Pending"), pod(SECOND_CONTROLLER, ready="False")]
        self.answers(program, starting, port=1)
        with kept_forwards(kubectl) as forwards:
            assert self.way(kubectl, forwards).obstacle(5) is None
        assert self.opened(program) == ["pod/ingress-nginx-controller-2"]

    def test_none_that_runs_is_waited_for(self, program: FakeProgram, kubectl: Kubectl) -> None:
        self.answers(program, [pod(CONTROLLER, phase="Pending")], port=1)
        with kept_forwards(kubectl) as forwards:
            assert self.way(kubectl, forwards).obstacle(5) == "no controller of the ingress runs"
        assert self.opened(program) == []

    def test_one_on_its_way_out_is_not_asked_and_one_that_cannot_be_is_no_obstacle_here(
        self, program: FakeProgram, kubectl: Kubectl
    ) -> None:
        """Whether it serves is for others to say: a node that is gone keeps its pods' phase."""
        leaving = pod(CONTROLLER, deletionTimestamp="2026-11-22T12:00:00Z")
        unreachable = {"port-forward": {"code": 1, "stderr": "no route to host"}}
        program.answers({**pods_by_namespace([leaving, pod(SECOND_CONTROLLER)]), **unreachable})
        with kept_forwards(kubectl) as forwards:
            assert self.way(kubectl, forwards).obstacle(5) is None
        assert self.opened(program) == ["pod/ingress-nginx-controller-2"]

    def test_it_is_opened_once_for_all_that_is_asked(self, program: FakeProgram, kubectl: Kubectl) -> None:
        with loopback_server(lambda _: Answer(body=json.dumps(self.BACKENDS).encode())) as server:
            self.answers(program, [pod(CONTROLLER), pod(FOO_1)], server.port)
            with kept_forwards(kubectl) as forwards:
                assert self.way(kubectl, forwards).obstacle(5) is None
                assert [self.known(kubectl, forwards).obstacle(5) for _ in range(3)] == [None] * 3
        assert (1, 3) == (len(self.opened(program)), len(server.asked))

    def test_one_that_leads_nowhere_any_more_is_closed_and_opened_anew(
        self, program: FakeProgram, kubectl: Kubectl
    ) -> None:
        pods = [pod(CONTROLLER), pod(FOO_1)]
        with loopback_server(lambda _: Answer(body=json.dumps(self.BACKENDS).encode())) as server:
            self.answers(program, pods, port=free_port())
            with kept_forwards(kubectl) as forwards:
                assert "refused" in (self.known(kubectl, forwards).obstacle(5) or "")
                calls = zip(program.process_ids(), program.asked(), strict=True)
                assert [False] == [runs(process) for process, words in calls if "port-forward" in words]
                self.answers(program, pods, server.port)
                assert self.known(kubectl, forwards).obstacle(5) is None

    def test_one_that_leads_to_somebody_else_is_not_asked_again(
        self, program: FakeProgram, kubectl: Kubectl
    ) -> None:
        """As when kubectl has ended, and another program was given its port."""
        answers = [Answer(status=404), Answer(body=json.dumps(self.BACKENDS).encode())]
        with loopback_server(lambda _: answers.pop(0)) as server:
            self.answers(program, [pod(CONTROLLER), pod(FOO_1)], server.port)
            with kept_forwards(kubectl) as forwards:
                assert "404" in (self.known(kubectl, forwards).obstacle(5) or "")
                assert self.known(kubectl, forwards).obstacle(5) is None
        assert 2 == len(self.opened(program))


class TestKnownByTime:
    def obstacle(self, program: FakeProgram, kubectl: Kubectl, *pods: Mapping[str, object]) -> str | None:
        program.answers(pods_by_namespace(pods))
        return KnownByTime(target=target(), kubectl=kubectl).obstacle(5)

    def ready_for_s(self, name: tuple[str, str, str], age_s: float) -> Mapping[str, object]:
        since = datetime.now(UTC) - timedelta(seconds=age_s)
        return pod(name, since=f"{since:%Y-%m-%dT%H:%M:%SZ}")  # in whole seconds, as the API does

    def test_a_pod_is_known_once_it_has_been_ready_for_longer_than_the_ingress_takes(
        self, program: FakeProgram, kubectl: Kubectl
    ) -> None:
        assert self.obstacle(program, kubectl, self.ready_for_s(FOO_1, 4)) is None

    def test_one_that_has_just_become_ready_may_not_be(self, program: FakeProgram, kubectl: Kubectl) -> None:
        obstacle = self.obstacle(program, kubectl, self.ready_for_s(FOO_1, -1))
        assert "pod apps/foo-5d8f7c9b4-x2k9z has just become ready" in (obstacle or "")

    def test_only_the_apps_matter(self, program: FakeProgram, kubectl: Kubectl) -> None:
        assert self.obstacle(program, kubectl, self.ready_for_s(STRANGER, -1)) is None


CHECKS = {"nginx": KnownToNginx, "traefik": KnownByTime}


def test_of_every_controller_it_is_said_how_to_know() -> None:
    assert set(CHECKS) == set(CONTROLLERS)


@pytest.mark.parametrize(("controller", "check"), CHECKS.items())
def test_who_can_be_asked_is(controller: str, check: type, kubectl: Kubectl) -> None:
    stack: TargetEnvironment = target()
    stack = replace(stack, ingress=replace(stack.ingress, controller=controller))
    with kept_forwards(kubectl) as forwards:
        assert type(pods_known(stack, kubectl, forwards)) is check
        assert len(ways_to_ask(stack, kubectl, forwards)) == (check is KnownToNginx)
