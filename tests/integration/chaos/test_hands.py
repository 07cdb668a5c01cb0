"""Who is hit, with a kubectl and a docker that answer as they are told: nobody but the stack's own."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loadtest.chaos.hands import Hands
from loadtest.chaos.model import Action, ChaosEvent
from loadtest.errors import ChaosError
from loadtest.process import ProgramFailedError
from loadtest.target import TargetEnvironment, parse_target
from tests.contract.test_exports_fit_the_target import exports
from tests.integration.fake_program import FakeProgram, fake_program

NODES = {"ps": {"stdout": "loadproof-control-plane\nloadproof-worker\nloadproof-worker2\n"}}
FOO, FOO_TOO, BAR = "foo-54b7fb55dc-2mhkh", "foo-54b7fb55dc-m4mv2", "bar-579f6c99cc-hfwj9"


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeProgram:
    program = fake_program(tmp_path / "kubectl", "kubectl")
    monkeypatch.setenv("PATH", str(program.folder), prepend=":")
    program.answers(pods(pod(FOO_TOO), pod(FOO), pod(BAR), pod("foobar-54b7fb55dc-2mhkh")))
    return program


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeProgram:
    program = fake_program(tmp_path / "docker", "docker")
    monkeypatch.setenv("PATH", str(program.folder), prepend=":")
    program.answers({**NODES, "kill": {}, "start": {}, "pause": {}, "unpause": {}})
    return program


@pytest.fixture(scope="module")
def target() -> TargetEnvironment:
    return parse_target(exports())


def pod(name: str, *, ready: bool = True, leaving: bool = False) -> dict[str, Any]:
    leaving_since = {"deletionTimestamp": "2026-01-01T00:00:00Z"} if leaving else {}
    condition = {"type": "Ready", "status": str(ready), "lastTransitionTime": "2026-01-01T00:00:00Z"}
    return {
        "metadata": {"name": name, "namespace": "apps", **leaving_since},
        "spec": {"nodeName": "loadproof-worker"},
        "status": {"conditions": [condition]},
    }


def pods(*items: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    return {"get pods": {"stdout": json.dumps({"items": items})}, "delete pod": {}}


def delete(whom: str) -> ChaosEvent:
    return ChaosEvent(at_s=1.0, action=Action.DELETE, target=whom)


def at_node(action: Action, name: str = "worker2") -> ChaosEvent:
    return ChaosEvent(at_s=1.0, action=action, target=f"node/{name}")


def deleted(kubectl: FakeProgram) -> list[list[str]]:
    return [call[call.index("delete") :] for call in kubectl.asked() if "delete" in call]


def test_a_pod_is_deleted_by_force_when_it_is_struck_and_not_before(
    kubectl: FakeProgram, target: TargetEnvironment
) -> None:
    aimed = Hands(target).aim(delete("app/foo"))
    assert aimed.victim == f"pod apps/{FOO} on loadproof-worker"
    assert deleted(kubectl) == []
    aimed.strike()
    aimed.undo()
    assert deleted(kubectl) == [
        ["delete", "pod", FOO, "--namespace", "apps", "--grace-period=0", "--force", "--wait=false"]
    ]


def test_one_that_was_not_hit_before_comes_first(kubectl: FakeProgram, target: TargetEnvironment) -> None:
    hands = Hands(target)
    victims = [hands.aim(delete("app/foo")).victim.split()[1] for _ in range(3)]
    assert [f"apps/{FOO}", f"apps/{FOO_TOO}", f"apps/{FOO}"] == victims


def test_a_pod_that_is_not_ready_or_on_its_way_out_is_not_hit(
    kubectl: FakeProgram, target: TargetEnvironment
) -> None:
    kubectl.answers(pods(pod(FOO, ready=False), pod(FOO_TOO, leaving=True), pod(BAR)))
    with pytest.raises(ChaosError, match="app/foo has no pod that is ready"):
        Hands(target).aim(delete("app/foo"))


def test_the_ingress_is_looked_for_in_its_own_namespace(
    kubectl: FakeProgram, target: TargetEnvironment
) -> None:
    Hands(target).aim(delete("ingress"))
    (question,) = [call for call in kubectl.asked() if "get" in call]
    assert question[question.index("--namespace") + 1] == target.ingress.namespace


@pytest.mark.parametrize(
    ("action", "verbs"), [(Action.KILL, ["kill", "start"]), (Action.FREEZE, ["pause", "unpause"])]
)
def test_a_node_is_hit_and_put_right_again(
    docker: FakeProgram, target: TargetEnvironment, action: Action, verbs: list[str]
) -> None:
    aimed = Hands(target).aim(at_node(action))
    aimed.strike()
    aimed.undo()
    assert aimed.victim == "node loadproof-worker2"
    assert [[verb, "loadproof-worker2"] for verb in verbs] == docker.asked()[1:]


def test_a_node_that_was_not_struck_is_not_put_right(docker: FakeProgram, target: TargetEnvironment) -> None:
    Hands(target).aim(at_node(Action.KILL)).undo()
    assert [["ps"]] == [call[:1] for call in docker.asked()]


def test_a_node_that_is_not_the_clusters_is_left_alone(
    docker: FakeProgram, target: TargetEnvironment
) -> None:
    with pytest.raises(ChaosError, match="the cluster loadproof has no node loadproof-worker9"):
        Hands(target).aim(at_node(Action.KILL, "worker9"))
    assert [["ps"]] == [call[:1] for call in docker.asked()]


@pytest.fixture
def packetdelay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeProgram:
    program = fake_program(tmp_path / "packetdelay", "packetdelay")
    monkeypatch.setenv("PATH", str(program.folder), prepend=":")
    return program


def test_every_node_gets_what_delays_packets_before_the_load(
    kubectl: FakeProgram, docker: FakeProgram, packetdelay: FakeProgram, target: TargetEnvironment
) -> None:
    nodes = [{"metadata": {"name": name}} for name in ("loadproof-control-plane", "loadproof-worker")]
    kubectl.answers({"get nodes": {"stdout": json.dumps({"items": nodes})}})
    docker.answers({"exec": {"reads": True}})
    delay = ChaosEvent(at_s=1.0, action=Action.DELAY, target="app/foo", delay_ms=20.0)
    Hands(replace(target, chaos=(delay,))).prepare()
    assert ["loadproof-control-plane", "loadproof-worker"] == [
        call[call.index("--interactive") + 1] for call in docker.asked()
    ]
    assert Path(packetdelay.path).read_text() == docker.told()


def test_nodes_that_nothing_is_delayed_on_get_nothing(
    kubectl: FakeProgram, docker: FakeProgram, target: TargetEnvironment
) -> None:
    Hands(replace(target, chaos=(delete("app/foo"),))).prepare()
    assert [] == docker.asked()


def test_an_engine_that_refuses_is_told_of_and_the_node_put_right_all_the_same(
    docker: FakeProgram, target: TargetEnvironment
) -> None:
    docker.answers({**NODES, "unpause": {}, "pause": {"code": 1, "stderr": "planted"}})
    aimed = Hands(target).aim(at_node(Action.FREEZE))
    with pytest.raises(ProgramFailedError):
        aimed.strike()
    aimed.undo()
    assert ["unpause", "loadproof-worker2"] == docker.asked()[-1]
