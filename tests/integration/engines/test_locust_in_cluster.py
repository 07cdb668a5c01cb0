"""The pods of a load come and go, with a kubectl that answers as told."""

import json
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest

from loadtest.engines.locust.in_cluster import in_cluster
from loadtest.engines.locust.job_of import job_of
from loadtest.errors import MachineError, UsageError
from loadtest.target import TargetEnvironment
from tests.integration.engines.locust_runs import PLAN
from tests.integration.engines.targets import target_at
from tests.integration.fake_program import FakeProgram, fake_program

TARGET = target_at(8080, {"foo.localhost": b"foo"})
NAMES = ("master", "worker-1", "worker-2")
NO_NAMESPACE = {"get namespace load": {"stdout": ""}}
MADE = {"create": {}, "get service": {"stdout": "10.96.0.7"}, "delete namespace load": {}}


def pod(name: str, **status: object) -> dict[str, object]:
    return {"metadata": {"name": name, "namespace": "load"}, "status": status}


def ready(name: str) -> dict[str, object]:
    return pod(name, phase="Running", conditions=[{"type": "Ready", "status": "True"}])


def pods(*found: dict[str, object]) -> dict[str, dict[str, str]]:
    return {"get pods": {"stdout": json.dumps({"items": found})}}


ALL_READY = pods(*map(ready, NAMES))


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeProgram:
    program = fake_program(tmp_path, "kubectl")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return program


def load_pods(target: TargetEnvironment = TARGET) -> AbstractContextManager[tuple[str, ...]]:
    return in_cluster(job_of(replace(PLAN, locust_workers=2), target), target)


def calls(kubectl: FakeProgram, *verbs: str) -> list[str]:
    """What was asked with one of these verbs, without saying of which cluster."""
    words = [call[call.index("--context") + 2 :] for call in kubectl.asked()]
    return [" ".join(call) for call in words if call[0] in verbs]


def test_the_master_is_told_to_start_when_all_pods_are_ready(kubectl: FakeProgram) -> None:
    kubectl.answers(NO_NAMESPACE | MADE | ALL_READY)
    with load_pods() as command:
        assert calls(kubectl, "delete") == []
    assert command[0] == "kubectl"
    told = "exec --namespace load --stdin master -- python3 -m loadtest.engines.locust.runner master"
    assert told in " ".join(command)


def test_they_are_removed_whatever_happens(kubectl: FakeProgram) -> None:
    kubectl.answers(NO_NAMESPACE | MADE | ALL_READY)
    with pytest.raises(RuntimeError, match="planted"), load_pods():
        raise RuntimeError("planted")
    assert calls(kubectl, "delete") == ["delete namespace load --ignore-not-found --wait=false"]


def test_pods_without_their_image_are_told_at_once_and_removed(kubectl: FakeProgram) -> None:
    waiting = {"waiting": {"reason": "ErrImagePull", "message": "no such host"}}
    stuck = pod("worker-2", phase="Pending", containerStatuses=[{"name": "locust", "state": waiting}])
    kubectl.answers(NO_NAMESPACE | MADE | pods(ready("master"), ready("worker-1"), stuck))
    with pytest.raises(MachineError, match="worker-2: container locust: ErrImagePull") as told, load_pods():
        pass
    assert "loadproof/locust:1.0.0" in told.value.hint
    assert len(calls(kubectl, "delete")) == 1


def test_a_strangers_namespace_is_left_alone(kubectl: FakeProgram) -> None:
    theirs = {"get namespace load": {"stdout": json.dumps({"metadata": {"name": "load"}})}}
    kubectl.answers(theirs | MADE | ALL_READY)
    with pytest.raises(UsageError, match="namespace load is not this stack's"), load_pods():
        pass
    assert calls(kubectl, "create", "delete") == []


def test_what_a_killed_load_left_is_gone_before_the_next_comes(kubectl: FakeProgram) -> None:
    labels = TARGET.load_pods.namespace_labels
    left = {
        "get namespace load": {"stdout": json.dumps({"metadata": {"name": "load", "labels": labels}})},
    }
    kubectl.answers(left | MADE | ALL_READY)
    with load_pods():
        pass
    first, *_ = calls(kubectl, "create", "delete")
    assert first == "delete namespace load --ignore-not-found --wait=true"


def test_a_cluster_that_stays_is_left_only_when_they_are_gone(kubectl: FakeProgram) -> None:
    kubectl.answers(NO_NAMESPACE | MADE | ALL_READY)
    with load_pods(replace(TARGET, cluster=replace(TARGET.cluster, nodes=None))):
        pass
    assert calls(kubectl, "delete") == ["delete namespace load --ignore-not-found --wait=true"]
