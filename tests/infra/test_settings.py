"""The program refuses wrong configuration with one error, before it registers a single resource."""

import logging
import socket
from pathlib import Path
from typing import Any

import pulumi
import pytest

from infra import placed
from infra.model import StackSettings
from infra.ports import LOOPBACK
from infra.settings import load
from tests.infra.configuration import as_the_engine_hands_it_over
from tests.infra.recording import record
from tests.ports import free_port


def loaded(*, preview: bool = False, **changed: Any) -> StackSettings:
    found: list[StackSettings] = []

    def program() -> None:
        pulumi.runtime.set_all_config(as_the_engine_hands_it_over(**changed))
        found.append(load())

    record(program, preview=preview)
    return found[0]


def test_settings_come_in_the_types_they_are_declared_with() -> None:
    port = free_port()
    settings = loaded(ingress_port=port, monitoring_port=free_port(), cluster_name="123")
    assert (port, "123") == (settings.ingress.port, settings.cluster.name)
    assert ["foo", "bar"] == [app.name for app in settings.apps]


def test_wrong_configuration_is_one_error_with_all_problems(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(SystemExit):
        loaded(ingres_port=1, cluster_name="X", apps=[])
    (error,) = [entry.getMessage() for entry in caplog.records if entry.levelno == logging.ERROR]
    for named in ("ingres_port", 'cluster_name is "X"', "apps lists no app", "Nothing was created"):
        assert named in error


def test_a_port_in_use_stops_a_deployment(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server((LOOPBACK, 0)) as server, pytest.raises(SystemExit):
        loaded(ingress_port=server.getsockname()[1], monitoring_port=free_port())
    assert "is in use by another program" in caplog.text


def test_a_port_in_use_is_only_a_warning_in_a_preview(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        assert port == loaded(preview=True, ingress_port=port, monitoring_port=free_port()).ingress.port
    (warning,) = [entry.getMessage() for entry in caplog.records if entry.levelno == logging.WARNING]
    assert f"ingress_port is {port}" in warning


def test_even_a_preview_is_refused_where_set_up_was_run_for_another_stack(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "charts" / "ingress-nginx").mkdir(parents=True)
    monkeypatch.setattr(placed, "PLACED", tmp_path)
    ports = {"ingress_port": free_port(), "monitoring_port": free_port()}
    assert "nginx" == loaded(preview=True, **ports).ingress.controller
    with pytest.raises(SystemExit):
        loaded(preview=True, ingress_controller="traefik", **ports)
    assert "charts/traefik is not there: `make setup STACK=" in caplog.text


def test_configuration_of_others_is_none_of_its_business() -> None:
    config = {**as_the_engine_hands_it_over(), "kubernetes:context": "somewhere"}
    config |= {f"loadproof:{key}": str(free_port()) for key in ("ingress_port", "monitoring_port")}

    def program() -> None:
        pulumi.runtime.set_all_config(config)
        load()

    record(program)
