"""Images found in the engine or pulled into it, against a command that answers as docker does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.toolchain.hosts import FileHost, file_host
from tests.toolchain.world import World
from toolchain.errors import ToolchainError
from toolchain.process import Processes
from toolchain.sources import Way, images
from toolchain.sources.images import has_image, image_ids, pull_unpinned, recorded_id, registry_address

DIGEST = f"sha256:{'a' * 64}"
ROW = f"""[image-echo]
version = "1.0.0"
kind = "image"
image = {{ reference = "echo:1.0.0", pull = "docker.io/acme/echo@{DIGEST}" }}
"""

# Its store is a folder: a file for each reference, holding the id and the digests.
DOCKER = """#!/bin/sh
store="$DOCKER_STORE"
[ -d "$store" ] || { echo "Cannot connect to the Docker daemon" >&2; exit 1; }
case "$1 $2" in
"image inspect")
    format="$4"; shift 4; code=0
    for reference in "$@"; do
        file="$store/$(echo "$reference" | tr '/:@' '___')"
        [ -f "$file" ] || { echo "Error: No such image: $reference" >&2; code=1; continue; }
        read -r id digests < "$file"
        case "$format" in
        "{{json .RepoTags}} {{.Id}}") echo "[\\"$reference\\"] $id" ;;
        "{{.Id}} {{json .RepoDigests}}") echo "$id $digests" ;;
        "{{.Id}}") echo "$id" ;;
        esac
    done
    exit $code ;;
"pull --quiet")
    echo "$3" >> "$store.pulled"
    echo "sha256:upstream [\\"acme/echo@${3#*@}\\"]" > "$store/$(echo "$3" | tr '/:@' '___')" ;;
tag*)
    cp "$store/$(echo "$2" | tr '/:@' '___')" "$store/$(echo "$3" | tr '/:@' '___')" ;;
esac
"""


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    command = tmp_path / "bin" / "docker"
    command.parent.mkdir()
    command.write_text(DOCKER)
    command.chmod(0o755)
    folder = tmp_path / "store"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{command.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("DOCKER_STORE", str(folder))
    return folder


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileHost]:
    with file_host() as host:
        monkeypatch.setattr(images, "registry_address", lambda pull: host.url(""))
        monkeypatch.setattr("toolchain.gather.registry_address", lambda pull: host.url(""))
        yield host


def put(store: Path, reference: str, image_id: str, digest: str) -> None:
    name = reference.translate(str.maketrans("/:@", "___"))
    (store / name).write_text(f'{image_id} ["acme/echo@{digest}"]\n')


def test_one_question_tells_which_images_are_there(store: Path) -> None:
    put(store, "echo:1.0.0", "sha256:one", DIGEST)
    assert image_ids(["echo:1.0.0", "gone:2"]) == {"echo:1.0.0": "sha256:one"}
    assert image_ids([]) == {}


def test_an_engine_that_does_not_answer_is_not_an_engine_without_images(store: Path) -> None:
    store.rmdir()
    assert image_ids(["echo:1.0.0"]) is None


def test_upstreams_own_image_in_the_engine_is_a_find(store: Path, world: World) -> None:
    put(store, "echo:1.0.0", "sha256:one", DIGEST)
    world.pins = ROW
    world.gather("image-echo", forced=Way.FOUND)
    assert recorded_id(world.part_folder("image-echo")) == "sha256:one"


def test_another_image_of_the_same_name_is_no_find(store: Path, world: World) -> None:
    put(store, "echo:1.0.0", "sha256:one", f"sha256:{'b' * 64}")
    world.pins = ROW
    with pytest.raises(ToolchainError, match=f"echo:1.0.0 is not {DIGEST}"):
        world.gather("image-echo", forced=Way.FOUND)


def test_an_image_is_pulled_by_digest_and_named_as_the_stack_names_it(
    store: Path, registry: FileHost, world: World
) -> None:
    world.pins = ROW
    world.gather("image-echo", forced=Way.DOWNLOAD)
    assert Path(f"{store}.pulled").read_text() == f"docker.io/acme/echo@{DIGEST}\n"
    assert image_ids(["echo:1.0.0"]) == {"echo:1.0.0": "sha256:upstream"}
    world.gather("image-echo")
    assert world.said == "", "an image that is there is got again"


def test_an_image_that_left_the_engine_or_was_replaced_in_it_is_got_again(
    store: Path, registry: FileHost, world: World
) -> None:
    world.pins = ROW
    for fault in ("left", "replaced"):
        world.gather("image-echo", forced=Way.DOWNLOAD)
        if fault == "left":
            (store / "echo_1.0.0").unlink()
        else:
            put(store, "echo:1.0.0", "sha256:other", DIGEST)
        world.gather("image-echo", forced=Way.DOWNLOAD)
        assert image_ids(["echo:1.0.0"]) == {"echo:1.0.0": "sha256:upstream"}, fault


def test_an_image_of_an_engine_that_has_to_be_started_first_is_not_got_again(
    store: Path, registry: FileHost, world: World
) -> None:
    world.pins = ROW
    world.gather("image-echo", forced=Way.DOWNLOAD)
    stopped = store.rename(store.with_name("stopped"))

    def start() -> None:
        if stopped.exists():
            stopped.rename(store)

    world.gather("image-echo", asking=start)
    assert world.said == ""


def test_the_registry_that_is_asked_is_the_one_the_image_lies_in() -> None:
    assert registry_address("docker.io/acme/echo@x") == "https://registry-1.docker.io"
    assert registry_address("registry.k8s.io/echo@x") == "https://registry.k8s.io"
    assert registry_address("kindest/node:v1.2.3") == "https://registry-1.docker.io"
    assert registry_address("localhost:5000/echo:1") == "https://localhost:5000"


def test_an_image_that_only_a_setting_names_is_pulled_by_that_name(
    store: Path, registry: FileHost, tmp_path: Path
) -> None:
    assert not has_image("acme/echo:2")
    pull_unpinned("acme/echo:2", setting="node", processes=Processes(), log=tmp_path / "log")
    assert has_image("acme/echo:2")


def test_the_error_about_such_an_image_names_setting_and_reason(
    store: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(images, "registry_address", lambda pull: "http://127.0.0.1:9")
    with pytest.raises(ToolchainError, match="node asks for the image acme/echo:2") as error:
        pull_unpinned("acme/echo:2", setting="node", processes=Processes(), log=tmp_path / "log")
    assert "does not answer ([Errno 111] Connection refused)" in error.value.message
    assert "leave node at its default" in error.value.hint


def test_a_registry_that_does_not_answer_is_told_with_the_reason(
    store: Path, monkeypatch: pytest.MonkeyPatch, world: World
) -> None:
    for module in ("toolchain.sources.images", "toolchain.gather"):
        monkeypatch.setattr(f"{module}.registry_address", lambda pull: "http://127.0.0.1:9")
    world.pins = ROW
    with pytest.raises(ToolchainError, match=r"does not answer \(\[Errno 111\] Connection refused\)"):
        world.gather("image-echo", forced=Way.DOWNLOAD)
