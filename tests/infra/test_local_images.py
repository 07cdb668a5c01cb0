"""Which images of this machine a cluster is given: those it names, the engine has, and the nodes lack."""

import json
import sys
from pathlib import Path

import pytest

from infra.local_images import images_to_load, local_images
from infra.needs import needs
from tests.infra.configuration import app, ci_settings

ECHO = "hashicorp/http-echo:1.0.0"

_DOCKER = """#!{python}
import json, sys
images = json.load(open({images!r}))
names = sys.argv[5:]
for name in names:
    tag = name.removeprefix("docker.io/").removeprefix("library/")
    if tag in images:
        print(json.dumps({{"tags": [tag], **images[tag]}}))
sys.exit(any(name not in images for name in names))
"""


class Engine:
    """A container engine with these images and nothing else."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._images = folder / "images.json"
        docker = folder / "docker"
        docker.write_text(_DOCKER.format(python=sys.executable, images=str(self._images)))
        docker.chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))

    def has(self, images: dict[str, str]) -> None:
        self._images.write_text(json.dumps({tag: {"id": image_id} for tag, image_id in images.items()}))


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    return Engine(tmp_path, monkeypatch)


def loaded(**changed: object) -> dict[str, str]:
    return {image.reference: image.image_id for image in local_images(ci_settings(**changed))}


def test_an_image_that_the_engine_has_is_loaded_and_one_that_it_has_not_is_left_to_the_nodes(
    engine: Engine,
) -> None:
    engine.has({"mine:1": "sha256:a"})
    apps = [app("foo", image="mine:1"), app("bar", image="theirs:1")]
    assert {"mine:1": "sha256:a"} == loaded(apps=apps)


def test_what_the_node_image_holds_is_not_loaded_and_costs_no_question(engine: Engine) -> None:
    assert {ECHO} == {one.image for one in ci_settings().apps}
    assert {} == loaded(), "the engine would have failed: it was told of no image"


def test_a_node_image_of_ones_own_holds_nothing_that_is_known_of(engine: Engine) -> None:
    engine.has({ECHO: "sha256:a"})
    assert {ECHO: "sha256:a"} == loaded(cluster_kubernetes_version="1.33.4")


def test_an_image_may_be_named_in_full(engine: Engine) -> None:
    engine.has({"nginx:1": "sha256:a"})
    assert {"docker.io/library/nginx:1": "sha256:a"} == loaded(
        apps=[app("foo", image="docker.io/library/nginx:1")]
    )


def test_without_an_engine_there_is_nothing_to_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert {} == loaded()


def test_the_controllers_image_runs_on_the_ingress_node_alone() -> None:
    settings = ci_settings(ingress_controller="traefik", apps=[app("foo", image="mine:1")])
    assert {"traefik:v3.6.12": True, "mine:1": False} == images_to_load(settings)


def test_the_load_balancer_runs_beside_the_nodes_and_is_loaded_into_none() -> None:
    settings = ci_settings(cluster_control_planes=3)
    assert "image-envoy" in needs(settings).parts
    assert {} == images_to_load(settings)


def test_the_nodes_of_a_cluster_that_is_there_already_are_left_alone() -> None:
    settings = ci_settings(
        cluster_provider="existing",
        cluster_context="theirs",
        namespace_prefix="pr-1-",
        apps=[app("foo", image="mine:1")],
    )
    assert {} == images_to_load(settings)
