"""A port that somebody else holds is found; one that the stack's own cluster holds is none of the kind."""

import socket

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


def test_without_a_cluster_no_port_is_its_own() -> None:
    assert frozenset() == cluster_ports("loadproof-no-such-cluster")
