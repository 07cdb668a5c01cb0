"""A port that somebody else holds is found; one that the stack's own cluster holds is none of the kind."""

import os
import socket
from pathlib import Path

import pytest

from infra.ports import LOOPBACK, cluster_ports, port_problems, port_taken

PORTS = {"ingress_port": 80, "monitoring_port": 30090}


def test_a_port_in_use_by_another_program_is_a_problem_that_names_both() -> None:
    (problem,) = port_problems(PORTS, taken=lambda port: port == 80, own=frozenset)
    assert problem.startswith("ingress_port is 80, that port of 127.0.0.1 is in use by another program")


def test_a_port_held_by_the_stacks_own_cluster_is_no_problem() -> None:
    assert [] == port_problems(PORTS, taken=lambda _: True, own=lambda: frozenset({80, 30090}))


def test_the_engine_is_not_asked_while_every_port_is_free() -> None:
    def own() -> frozenset[int]:
        raise AssertionError("nobody needs to know")

    assert [] == port_problems(PORTS, taken=lambda _: False, own=own)


def test_a_listening_server_takes_its_port_and_leaves_it_free_afterwards() -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        assert port_taken(port)
    assert not port_taken(port)


def test_a_server_on_all_addresses_takes_the_loopback_port_too() -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:
        assert port_taken(server.getsockname()[1])


@pytest.mark.parametrize(
    ("answer", "ports"),
    [
        ("""echo '{"30080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "80"}], "6443/tcp": null}'""", {80}),
        ("exit 1", set()),
        ("exec sleep 60", set()),
    ],
    ids=["it publishes one", "there is no such cluster", "the engine hangs"],
)
def test_the_engine_says_which_ports_are_the_clusters_own(
    answer: str, ports: set[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker = tmp_path / "docker"
    docker.write_text(f"#!/bin/sh\n{answer}\n")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr("infra.ports._ASK_ENGINE_S", 2)
    assert ports == cluster_ports("x")


def test_without_an_engine_no_port_is_the_clusters_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert frozenset() == cluster_ports("x")
