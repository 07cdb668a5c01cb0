"""The way to an ingress without a port of its own, with a kubectl that forwards as told."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from loadtest.health.tunnel import way_to_ingress
from loadtest.target import TargetEnvironment
from tests.integration.fake_program import FakeProgram, fake_program
from tests.unit.monitoring.values import ingress_target, target


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeProgram:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    return fake_program(tmp_path, "kubectl")


def tunnelled() -> TargetEnvironment:
    return target(ingress=replace(ingress_target(port=8081), tunnelled=True))


def test_an_ingress_with_a_port_of_its_own_needs_none() -> None:
    with way_to_ingress(target()) as way:
        assert way == []


def test_the_tunnel_leads_from_the_ingress_port_to_its_service_until_the_end(program: FakeProgram) -> None:
    program.answers({"port-forward": {"stdout": "Forwarding from 127.0.0.1:8081 -> 80\n", "stays_s": 60}})
    with way_to_ingress(tunnelled()) as (tunnel,):
        assert tunnel.obstacle(5.0) is None
        (words,), (process,) = program.asked(), program.process_ids()
        assert words[-2:] == ["service/ingress-nginx-controller", "8081:80"]
        os.kill(process, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_a_tunnel_that_does_not_come_up_stands_in_the_way_and_is_tried_again(program: FakeProgram) -> None:
    with way_to_ingress(tunnelled()) as (tunnel,):
        program.answers({"port-forward": {"code": 1, "stderr": "error: no pod is running"}})
        assert "no pod is running" in (tunnel.obstacle(5.0) or "")
        program.answers({"port-forward": {"stdout": "Forwarding from 127.0.0.1:8081 -> 80\n", "stays_s": 60}})
        assert tunnel.obstacle(5.0) is None
