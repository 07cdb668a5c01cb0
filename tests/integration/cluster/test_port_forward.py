"""A port-forward that starts and ends by itself, with a program that speaks as kubectl does."""

import os
import time
from contextlib import AbstractContextManager

import pytest

from loadtest.cluster.kubectl import Kubectl
from loadtest.cluster.port_forward import forwarded_port
from loadtest.errors import MonitoringError
from tests.integration.fake_program import FakeProgram

_READY = "Forwarding from 127.0.0.1:43210 -> 9090\n"


def forward(program: FakeProgram, timeout_s: float = 10.0) -> AbstractContextManager[int]:
    kubectl = Kubectl(kubeconfig_path="k", context="c", program=program.path)
    return forwarded_port(
        kubectl, namespace="monitoring", to="service/prometheus", port=9090, timeout_s=timeout_s
    )


def is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_port_is_the_one_kubectl_chose_on_loopback(program: FakeProgram) -> None:
    program.answers({"port-forward": {"stdout": _READY, "stays_s": 60}})
    with forward(program) as port:
        assert port == 43210
    wanted = "--namespace monitoring port-forward --address 127.0.0.1 service/prometheus :9090"
    assert " ".join(program.asked()[0]).endswith(wanted)


def test_it_lasts_as_long_as_the_block_and_no_longer(program: FakeProgram) -> None:
    program.answers({"port-forward": {"stdout": _READY, "stays_s": 60}})
    with forward(program):
        (process_id,) = program.process_ids()
        assert is_alive(process_id)
    assert not is_alive(process_id)


def test_an_error_in_the_block_ends_it_too(program: FakeProgram) -> None:
    program.answers({"port-forward": {"stdout": _READY, "stays_s": 60}})
    with pytest.raises(RuntimeError, match="planted"), forward(program):
        raise RuntimeError("planted")
    assert not is_alive(program.process_ids()[0])


def test_one_that_ends_at_once_is_an_error_with_its_own_words(program: FakeProgram) -> None:
    words = 'Error from server (NotFound): services "prometheus" not found'
    program.answers({"port-forward": {"stderr": words, "code": 1}})
    with (
        pytest.raises(MonitoringError, match="service/prometheus:9090 of monitoring: Error from server"),
        forward(program),
    ):
        pytest.fail("there is no port to use")


def test_one_that_never_gets_ready_is_given_up_and_ended(program: FakeProgram) -> None:
    program.answers({"port-forward": {"stdout": "thinking about it\n", "stays_s": 60}})
    began_s = time.monotonic()
    with (
        pytest.raises(MonitoringError, match="not ready in time; last it said: thinking"),
        forward(program, 1.0),
    ):
        pytest.fail("there is no port to use")
    assert time.monotonic() - began_s < 10
    assert not is_alive(program.process_ids()[0])
