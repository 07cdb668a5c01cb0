"""Loading images into nodes: once saved, imported by all, and never half of one taken for a whole."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.clusters import kind_images

_DOCKER = """#!{python}
import sys, time
from pathlib import Path

folder, arguments = Path(__file__).parent, sys.argv[1:]
if arguments[0] == "version":
    print("linux/amd64")
elif arguments[0] == "ps":
    if (folder / "engine-is-down").exists():
        sys.exit("Cannot connect to the Docker daemon")
    assert "label=io.x-k8s.kind.cluster=x" in arguments
    print((folder / "nodes").read_text(), end="")
elif arguments[0] == "save":
    with (folder / "saved").open("a") as saved:
        print(*arguments[1:], file=saved)
    if (folder / "save-fails").exists():
        sys.exit("Error response from daemon: no space left on device")
    sys.stdout.buffer.write(" ".join(arguments[1:]).encode() * 100_000)
elif arguments[0] == "exec":
    node = arguments[2]
    if (folder / f"{{node}}-fails").exists():
        sys.exit("ctr: failed to extract layer")
    (folder / f"{{node}}-has").write_bytes(sys.stdin.buffer.read())
"""

NODES = {
    "x-control-plane": "control-plane",
    "x-control-plane2": "control-plane",
    "x-worker": "worker",
    "x-worker2": "worker",
    "x-external-load-balancer": "external-load-balancer",
}


class Engine:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        docker = folder / "docker"
        docker.write_text(_DOCKER.format(python=sys.executable))
        docker.chmod(0o755)
        self.has(NODES)

    def has(self, nodes: dict[str, str]) -> None:
        (self.folder / "nodes").write_text("\n".join(f"{name} {role}" for name, role in nodes.items()))

    def load(self, **images: dict[str, str]) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, kind_images.__file__],
            env={**os.environ, "PATH": str(self.folder), "CLUSTER_NAME": "x", "IMAGES": json.dumps(images)},
            stderr=subprocess.PIPE,
            text=True,
            timeout=30,
        )
        return done.returncode, done.stderr

    def loaded(self) -> dict[str, str]:
        """What each node got, by the names of the images in it."""
        files = {file.name.removesuffix("-has"): file.read_bytes() for file in self.folder.glob("*-has")}
        for content in files.values():
            assert len(content) % 100_000 == 0, "a node got half of what was saved"
        return {node: content[: len(content) // 100_000].decode() for node, content in files.items()}

    def plant(self, fault: str) -> None:
        (self.folder / fault).touch()


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine(tmp_path)


def test_images_are_saved_once_and_get_into_every_worker(engine: Engine) -> None:
    assert (0, "") == engine.load(ordinary={"b:1": "sha256:b", "a:1": "sha256:a"})
    assert {"x-worker": "a:1 b:1", "x-worker2": "a:1 b:1"} == engine.loaded()
    assert "a:1 b:1\n" == (engine.folder / "saved").read_text()


def test_the_controllers_image_gets_into_the_node_it_runs_on_alone(engine: Engine) -> None:
    assert 0 == engine.load(ingress={"c:1": "sha256:c"}, ordinary={"a:1": "sha256:a"})[0]
    assert {"x-control-plane": "c:1", "x-worker": "a:1", "x-worker2": "a:1"} == engine.loaded()


def test_without_workers_the_control_planes_take_whatever_comes(engine: Engine) -> None:
    engine.has({name: role for name, role in NODES.items() if role != "worker"})
    engine.load(ordinary={"a:1": "sha256:a"})
    assert {"x-control-plane", "x-control-plane2"} == set(engine.loaded())


def test_where_there_is_nothing_to_load_the_engine_is_not_even_asked(engine: Engine) -> None:
    engine.plant("engine-is-down")
    assert (0, "") == engine.load(ingress={}, ordinary={})


def test_a_node_that_does_not_take_an_image_is_named_with_the_reason(engine: Engine) -> None:
    engine.plant("x-worker2-fails")
    code, said = engine.load(ordinary={"a:1": "sha256:a"})
    assert 1 == code
    assert "a:1 did not get into x-worker2" in said
    assert "ctr: failed to extract layer" in said
    assert {"x-worker": "a:1"} == engine.loaded(), "the others get all of it"


def test_an_image_that_cannot_be_saved_is_told(engine: Engine) -> None:
    engine.plant("save-fails")
    code, said = engine.load(ordinary={"a:1": "sha256:a"})
    assert 1 == code
    assert "a:1 did not get into any node" in said
    assert "no space left on device" in said


def test_a_cluster_whose_nodes_have_ended_has_not_got_its_images(engine: Engine) -> None:
    engine.has({})
    code, said = engine.load(ordinary={"a:1": "sha256:a"})
    assert (1, {}) == (code, engine.loaded())
    assert "no node of the cluster x runs" in said


def test_an_engine_that_does_not_answer_is_named(engine: Engine) -> None:
    engine.plant("engine-is-down")
    code, said = engine.load(ordinary={"a:1": "sha256:a"})
    assert 1 == code
    assert "the container engine does not answer" in said
