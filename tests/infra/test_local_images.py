"""Which images of this machine a cluster is given: those it names, the engine has, and the nodes lack."""

import json
import sys
from pathlib import Path

import pytest

from infra.local_images import images_of, local_images
from tests.infra.configuration import app, ci_settings

ECHO = "hashicorp/http-echo:1.0.0"
NODE = "loadproof/node:v1.34.11"

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

    def has(self, images: dict[str, str], *, baked: str | None = None) -> None:
        node = {NODE: {"id": "sha256:node", "labels": None if baked is None else {"loadproof.images": baked}}}
        others = {tag: {"id": image_id, "labels": {}} for tag, image_id in images.items()}
        self._images.write_text(json.dumps(node | others))


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


def test_what_the_node_image_holds_is_not_loaded_again(engine: Engine) -> None:
    engine.has({ECHO: "sha256:a"}, baked=f"other:1=sha256:o {ECHO}=sha256:a")
    assert {} == loaded()


def test_an_image_built_anew_since_is_loaded_though_the_node_image_holds_one_of_its_name(
    engine: Engine,
) -> None:
    engine.has({ECHO: "sha256:b"}, baked=f"{ECHO}=sha256:a")
    assert {ECHO: "sha256:b"} == loaded()


def test_what_nobody_says_the_node_image_holds_is_loaded(engine: Engine) -> None:
    engine.has({ECHO: "sha256:a"})
    assert {ECHO: "sha256:a"} == loaded()


def test_an_image_may_be_named_in_full(engine: Engine) -> None:
    engine.has({"nginx:1": "sha256:a"})
    assert {"docker.io/library/nginx:1": "sha256:a"} == loaded(
        apps=[app("foo", image="docker.io/library/nginx:1")]
    )


def test_without_an_engine_there_is_nothing_to_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert {} == loaded()


def test_the_controllers_image_runs_on_the_ingress_node_alone() -> None:
    traefik = images_of(ci_settings(ingress_controller="traefik"))
    assert {"traefik:v3.6.12": True, ECHO: False} == traefik


def test_the_node_image_is_not_in_itself() -> None:
    assert {ECHO} == set(images_of(ci_settings()))
