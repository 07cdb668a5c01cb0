"""Diagnostics of a failed run, with programs that answer as kubectl and kind do."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from loadtest.cluster.diagnostics import Diagnostics, gather
from loadtest.cluster.kubectl import Kubectl
from tests.integration.fake_program import FakeProgram, fake_program

_SECRET = "s3cretword"  # made up


def pod(name: str, *, restarts: int = 0, **state: Any) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": "False" if state else "True"}]
    containers = [{"name": "echo", "restartCount": restarts, "state": state}]
    return {
        "metadata": {"name": name, "namespace": "apps"},
        "status": {"phase": "Running", "conditions": conditions, "containerStatuses": containers},
    }


_PODS = [
    pod("healthy"),
    pod("crashing", restarts=3, waiting={"reason": "CrashLoopBackOff", "message": "back-off"}),
]
_EVENT = {
    "metadata": {"name": "e", "namespace": "apps"},
    "involvedObject": {"kind": "Pod", "name": "crashing", "namespace": "apps"},
    "type": "Warning",
    "reason": "BackOff",
    "message": f"started with http://anna:{_SECRET}@proxy.example",
    "lastTimestamp": "2026-01-01T00:00:00Z",
}
_ANSWERS: dict[str, dict[str, object]] = {
    "version": {"stdout": "v1.34\n"},
    "describe nodes": {"stdout": "nodes described\n"},
    "get deployments": {"stdout": "workloads\n"},
    "get pods --all-namespaces -o wide": {"stdout": "pods\n"},
    "describe pods": {"stdout": f"DB_PASSWORD: {_SECRET}\n"},
    "get pods --all-namespaces -o json": {"stdout": json.dumps({"items": _PODS})},
    "get events": {"stdout": json.dumps({"items": [_EVENT]})},
    "crashing --container echo --tail=500 --limit-bytes=1000000 --previous": {"stdout": "panic: no config\n"},
    "logs": {"stdout": "listening\n"},
}


@pytest.fixture
def kubectl_program(tmp_path: Path) -> FakeProgram:
    return fake_program(tmp_path / "kubectl-folder", "kubectl")


@pytest.fixture
def kind_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeProgram:
    program = fake_program(tmp_path / "kind-folder", "kind")
    monkeypatch.setenv("PATH", f"{program.folder}{os.pathsep}{os.environ['PATH']}")
    return program


def gathered(program: FakeProgram, folder: Path, kind_cluster: str | None = None) -> Diagnostics:
    kubectl = Kubectl(kubeconfig_path="k", context="c", program=program.path)
    return gather(kubectl, kind_cluster=kind_cluster, folder=folder / "diagnostics")


def test_everything_is_kept_in_files(kubectl_program: FakeProgram, tmp_path: Path) -> None:
    kubectl_program.answers(_ANSWERS)
    found = gathered(kubectl_program, tmp_path)
    assert found.failures == ()
    assert {str(file.relative_to(found.folder)) for file in found.folder.rglob("*.*")} == {
        "nodes.txt",
        "workloads.txt",
        "pods.txt",
        "pod-descriptions.txt",
        "events.txt",
        "logs/apps_healthy_echo.log",
        "logs/apps_crashing_echo.log",
        "logs/apps_crashing_echo_previous.log",
    }
    assert (found.folder / "logs/apps_crashing_echo_previous.log").read_text() == "panic: no config\n"


def test_the_last_lines_say_which_pod_failed_and_what_it_printed(
    kubectl_program: FakeProgram, tmp_path: Path
) -> None:
    kubectl_program.answers(_ANSWERS)
    tail = gathered(kubectl_program, tmp_path).tail
    assert "pod apps/crashing: container echo: CrashLoopBackOff, 3 restarts back-off" in tail
    assert any("BackOff: started with" in line for line in tail)
    assert "apps_crashing_echo_previous: panic: no config" in tail
    assert not any("healthy" in line for line in tail)


def test_secrets_are_never_asked_for_and_never_kept(kubectl_program: FakeProgram, tmp_path: Path) -> None:
    kubectl_program.answers(_ANSWERS)
    found = gathered(kubectl_program, tmp_path)
    kept = "".join(file.read_text() for file in found.folder.rglob("*.*"))
    assert _SECRET not in kept + "".join(found.tail)
    assert "[removed]" in kept
    assert not any("secret" in word for call in kubectl_program.asked() for word in call)


def test_a_part_that_fails_is_noted_and_the_others_go_on(
    kubectl_program: FakeProgram, tmp_path: Path
) -> None:
    refused: dict[str, object] = {"code": 1, "stderr": "forbidden"}
    kubectl_program.answers({**_ANSWERS, "describe pods": refused, "get events": refused})
    found = gathered(kubectl_program, tmp_path)
    assert [failure.split(":")[0] for failure in found.failures] == ["pod-descriptions.txt", "events"]
    assert "forbidden" in (found.folder / "failures.txt").read_text()
    assert (found.folder / "logs/apps_crashing_echo.log").exists()


def test_of_a_cluster_with_others_in_it_only_the_stacks_own_namespaces_are_read(
    kubectl_program: FakeProgram, tmp_path: Path
) -> None:
    kubectl_program.answers({"-o json": {"stdout": '{"items": []}'}, "": {"stdout": "text\n"}})
    kubectl = Kubectl(kubeconfig_path="k", context="c", namespaces=("own",), program=kubectl_program.path)

    gather(kubectl, kind_cluster=None, folder=tmp_path / "diagnostics")

    asked = kubectl_program.asked()
    assert [call[4:] for call in asked if "--namespace=own" not in call] == [["version"]]
    assert len(asked) > 3


def test_a_cluster_that_does_not_answer_is_asked_once(
    kubectl_program: FakeProgram, kind_program: FakeProgram, tmp_path: Path
) -> None:
    kubectl_program.answers({"version": {"code": 1, "stderr": "connection refused"}})
    kind_program.answers({"export logs --name mine": {}})
    found = gathered(kubectl_program, tmp_path, "mine")
    assert len(kubectl_program.asked()) == 1
    assert len(kind_program.asked()) == 1
    assert "connection refused" in found.failures[0]
    assert found.tail == ()


def test_what_kind_exports_is_cleaned_too(
    kubectl_program: FakeProgram, kind_program: FakeProgram, tmp_path: Path
) -> None:
    kubectl_program.answers(_ANSWERS)
    kind_program.answers({"export": {"code": 1, "stderr": "only half of it"}})
    exported = tmp_path / "diagnostics" / "kind" / "node" / "inspect.json"
    exported.parent.mkdir(parents=True)
    (exported.parent / "system.journal").write_bytes(b"LPKSHHRH\0" + _SECRET.encode())
    exported.write_text(f'{{"Env": ["HTTP_PROXY=http://anna:{_SECRET}@proxy.example"]}}')
    found = gathered(kubectl_program, tmp_path, "mine")
    assert _SECRET not in exported.read_text()
    assert not (exported.parent / "system.journal").exists(), "what cannot be cleaned must not be kept"
    assert found.failures == ("kind export logs: `kind export logs` failed: only half of it",)


def test_a_machine_without_the_programs_still_gets_an_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    kubectl = Kubectl(kubeconfig_path="k", context="c", program=str(tmp_path / "nowhere"))
    found = gather(kubectl, kind_cluster="mine", folder=tmp_path / "diagnostics")
    assert len(found.failures) == 2
    assert (found.folder / "failures.txt").exists()


def test_a_folder_that_cannot_be_written_stops_nothing(kubectl_program: FakeProgram, tmp_path: Path) -> None:
    kubectl_program.answers(_ANSWERS)
    (tmp_path / "diagnostics").write_text("a file in the way")
    found = gathered(kubectl_program, tmp_path)
    assert found.failures
    assert any("CrashLoopBackOff" in line for line in found.tail)
