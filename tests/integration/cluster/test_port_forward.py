"""A port-forward that starts and ends by itself, with a program that speaks as kubectl does."""

import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import pytest

from loadtest.cluster import port_forward
from loadtest.cluster.kubectl import Kubectl
from loadtest.cluster.port_forward import PodPort, forwarded_port, kept_forwards
from loadtest.errors import MonitoringError
from tests.integration.fake_program import FakeProgram
from tests.waiting import comes_true

_READY = "Forwarding from 127.0.0.1:43210 -> 9090\n"


def kubectl_of(program: FakeProgram) -> Kubectl:
    return Kubectl(kubeconfig_path="k", context="c", program=program.path)


def forward(program: FakeProgram, timeout_s: float = 10.0) -> AbstractContextManager[int]:
    return forwarded_port(
        kubectl_of(program), namespace="monitoring", to="service/prometheus", port=9090, timeout_s=timeout_s
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


FIRST, SECOND = (PodPort(namespace="ingress", pod=f"controller-{number}", port=1) for number in (1, 2))


def test_an_interrupt_while_one_kept_way_is_closed_closes_the_others(
    program: FakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    program.answers({"port-forward": {"stdout": _READY, "stays_s": 60}})
    end, interrupts = port_forward._end, [KeyboardInterrupt()]

    def interrupted(child: subprocess.Popen[str]) -> None:
        end(child)
        if interrupts:
            raise interrupts.pop()

    monkeypatch.setattr(port_forward, "_end", interrupted)
    with pytest.raises(KeyboardInterrupt), kept_forwards(kubectl_of(program)) as forwards:
        assert [43210, 43210] == [forwards.port(one, 10.0) for one in (FIRST, SECOND)]
    assert [False, False] == [is_alive(process_id) for process_id in program.process_ids()]


def test_a_way_that_is_open_is_not_held_up_by_one_that_is_not(program: FakeProgram) -> None:
    silent = {"stdout": "thinking about it\n", "stays_s": 60}
    program.answers({"pod/controller-2": silent, "port-forward": {"stdout": _READY, "stays_s": 60}})
    with kept_forwards(kubectl_of(program)) as forwards:
        assert 43210 == forwards.port(FIRST, 10.0)
        hanging = ThreadPoolExecutor(1).submit(forwards.port, SECOND, 3.0)
        assert comes_true(lambda: len(program.asked()) == 2)
        began_s = time.monotonic()
        assert 43210 == forwards.port(FIRST, 0.1)
        with pytest.raises(MonitoringError, match="controller-2:1: another one is still being opened"):
            forwards.port(SECOND, 0.1)
        assert time.monotonic() - began_s < 1.5
        assert isinstance(hanging.exception(timeout=10), MonitoringError)
