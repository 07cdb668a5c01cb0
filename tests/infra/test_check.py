"""`python -m infra.check` gives the same answer as the program, without an engine."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from infra import check as check_module
from infra import placed
from infra.check import check
from infra.paths import KUBECONFIGS, ROOT
from infra.ports import LOOPBACK
from tests.ports import free_port

CI = (ROOT / "Pulumi.ci.yaml").read_text()


def stack_file(folder: Path, *lines: str) -> Path:
    file = folder / "Pulumi.test.yaml"
    file.write_text(CI.replace("config:\n", "config:\n" + "".join(f"  loadproof:{line}\n" for line in lines)))
    return file


def test_a_sound_stack_says_what_it_comes_to(tmp_path: Path) -> None:
    ports = {"ingress_port": free_port(), "monitoring_port": free_port()}
    found = check(stack_file(tmp_path, *(f"{key}: {port}" for key, port in ports.items())))
    assert [] == found["problems"]
    assert ports == found["ports"]
    assert str(KUBECONFIGS / "test") == found["claims"]
    assert str(KUBECONFIGS / "test" / "loadproof.yaml") == found["cluster"]["kubeconfig_path"]
    assert ("loadproof", "kind-loadproof", "kind") == tuple(
        found["cluster"][key] for key in ("name", "context", "provider")
    )


def test_it_says_whether_an_app_has_an_autoscaler(tmp_path: Path) -> None:
    file = stack_file(tmp_path)
    assert check(file)["cluster"]["autoscalers"] is False
    # Of its two apps one.
    file.write_text(file.read_text().replace("replicas: 2", "autoscaler: {max_replicas: 3}", 1))
    assert check(file)["cluster"]["autoscalers"] is True


def test_a_port_in_use_is_told_before_anything_is_created(tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        found = check(stack_file(tmp_path, f"ingress_port: {port}", f"monitoring_port: {free_port()}"))
    (problem,) = found["problems"]
    assert f"ingress_port is {port}" in problem


def test_what_set_up_has_not_brought_is_told_before_anything_is_created(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placed, "PLACED", tmp_path)
    found = check(stack_file(tmp_path, f"ingress_port: {free_port()}", f"monitoring_port: {free_port()}"))
    (problem,) = found["problems"]
    assert "charts/ingress-nginx is not there: `make setup STACK=test` brings it" in problem


def test_every_problem_of_a_stack_file_is_told(tmp_path: Path) -> None:
    found = check(stack_file(tmp_path, "ingres_port: 80", "cluster_workers: many"))
    assert 2 == len(found["problems"]), found


def test_a_stack_without_a_file_is_a_problem(tmp_path: Path) -> None:
    (problem,) = check(tmp_path / "Pulumi.nosuch.yaml")["problems"]
    assert "no stack file Pulumi.nosuch.yaml" in problem


def test_a_file_that_is_no_yaml_is_a_problem(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.test.yaml"
    file.write_text("config: [")
    found = check(file)
    (problem,) = found["problems"]
    assert problem.startswith("Pulumi.test.yaml cannot be read")
    assert str(KUBECONFIGS / "test") == found["claims"], "what was begun can be taken down all the same"


def test_the_command_prints_json_and_ends_with_2_where_there_are_problems() -> None:
    command = [sys.executable, "-m", check_module.__name__, "--stack", "no-such-stack"]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert 2 == ended.returncode, ended.stderr
    assert 1 == len(json.loads(ended.stdout)["problems"])
