"""The Pulumi program itself, `__main__.py`: what it makes of the configuration and of the machine."""

import gc
import json
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path

import pulumi
import pytest

from infra.paths import ROOT
from tests.infra.configuration import app, as_the_engine_hands_it_over
from tests.infra.recording import Recording, record
from tests.ports import free_port

_DOCKER = """#!{python}
import json
print(json.dumps({{"tags": ["mine:1"], "id": "sha256:a"}}))
"""


@pytest.fixture(autouse=True)
def garbage_is_collected_again() -> Iterator[None]:
    yield
    gc.unfreeze()
    gc.enable()


def run(**changed: object) -> Recording:
    ports = {"ingress_port": free_port(), "monitoring_port": free_port()}
    config = as_the_engine_hands_it_over(**ports, **changed)

    def program() -> None:
        pulumi.runtime.set_all_config(config)
        runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")

    return record(program)


def test_an_image_of_this_machine_is_loaded_into_the_nodes_and_restarts_its_app(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker = tmp_path / "docker"
    docker.write_text(_DOCKER.format(python=sys.executable))
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    made = run(apps=[app("foo", image="mine:1")])
    command = made.one("command:local:Command", "cluster-images")
    assert {"mine:1": "sha256:a"} == json.loads(command.inputs["environment"]["IMAGES"])["ordinary"]
    assert "sha256:a" in json.dumps(made.one("kubernetes:apps/v1:Deployment", "foo").inputs)
    assert {"apps", "cluster", "ingress", "load"} <= set(made.exports)
