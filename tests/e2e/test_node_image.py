"""The node image in the engine, whichever way it was got: what is in it, and baking on top of it."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from toolchain.cache import Cache
from toolchain.pins import Part, load_pins
from toolchain.process import Processes
from toolchain.recipes.images import IMAGES
from toolchain.recipes.node_image import bake
from toolchain.sources.build import BuildContext

pytestmark = pytest.mark.cluster

PINS = load_pins()
WORKLOADS = ("image-http-echo", "image-ingress-nginx", "image-prometheus")
# Names of this process alone: the engine is shared with whoever else sets up or tests on this machine.
DELETES, SIMPLE, BAKED = (f"loadproof/test-{what}:{os.getpid()}" for what in ("deletes", "simple", "node"))


def reference(part: Part) -> str:
    assert part.image is not None
    return part.image.reference


NODE = reference(PINS["node-image"])


def docker(*args: str, stdin: bytes | None = None) -> str:
    done = subprocess.run(("docker", *args), input=stdin, capture_output=True, check=False)
    assert 0 == done.returncode, done.stderr.decode()
    return done.stdout.decode()


class Node:
    """A container of a node image with nothing but its containerd running."""

    def __init__(self, image: str) -> None:
        options = (
            "--detach",
            "--rm",
            "--privileged",
            "--network=none",
            "--volume=/var",
            "--entrypoint=sleep",
        )
        self.name = docker("run", *options, image, "600").strip()
        script = (IMAGES / "bake.sh").read_bytes()
        docker("exec", "--interactive", self.name, "bash", "-s", "start", stdin=script)

    def run(self, *args: str) -> str:
        return docker("exec", self.name, *args)

    def files(self, image: str) -> list[str]:
        """What a container of the image would see at its root."""
        mount = f"ctr --namespace=k8s.io images mount {_full(image)} $at > /dev/null"
        return self.run("bash", "-c", f"at=$(mktemp -d) && {mount} && ls $at").split()

    def images(self) -> set[str]:
        return set(self.run("ctr", "--namespace=k8s.io", "images", "ls", "-q").split())


@pytest.fixture
def node(request: pytest.FixtureRequest) -> Iterator[Node]:
    made = Node(getattr(request, "param", NODE))
    yield made
    docker("rm", "--force", "--volumes", made.name)


def test_all_that_kubeadm_and_the_stack_name_is_in_the_node_under_that_name(node: Node) -> None:
    version = node.run("cat", "/kind/version")
    kubeadm = node.run("kubeadm", "config", "images", "list", f"--kubernetes-version={version}").split()
    named = {*kubeadm, *(reference(PINS[name]) for name in WORKLOADS)}
    assert set() == {_full(name) for name in named} - node.images(), "a cluster would have to pull it"


def test_a_workload_starts_from_what_is_in_the_node(node: Node) -> None:
    image = _full(reference(PINS["image-prometheus"]))
    run = (
        "ctr",
        "--namespace=k8s.io",
        "run",
        "--rm",
        "--net-host",
        image,
        "check",
        "/bin/prometheus",
        "--version",
    )
    assert f"version {PINS['image-prometheus'].version}" in node.run(*run)


def test_an_image_whose_layers_delete_files_is_baked_all_the_same(tmp_path: Path) -> None:
    docker("load", stdin=_image(DELETES, {"kept": b"1", "gone": b"2"}, {".wh.gone": b""}))
    docker("load", stdin=_image(SIMPLE, {"simple": b"3"}))
    said: list[str] = []
    context = _context(tmp_path, said)
    try:
        bake(context, NODE, (DELETES,), BAKED)
        packed = [line for line in said if "stay packed" in line]
        assert 1 == len(packed), "this test's image was unpacked: it proves nothing"
        bake(context, BAKED, (SIMPLE,), BAKED)
        assert packed == [line for line in said if "stay packed" in line], "nothing is deleted in this one"
        node = Node(BAKED)
        try:
            assert ["kept"] == node.files(DELETES), (
                "the deletion, or with the second baking the layers, were lost"
            )
            assert ["simple"] == node.files(SIMPLE)
        finally:
            docker("rm", "--force", "--volumes", node.name)
    finally:
        docker("image", "rm", "--force", BAKED, DELETES, SIMPLE)


def test_an_image_saved_with_the_index_of_all_its_platforms_is_baked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive, command = tmp_path / "saved.tar", tmp_path / "bin" / "docker"
    archive.write_bytes(_saved_from_a_containerd_store(SIMPLE))
    command.parent.mkdir()
    command.write_text(
        f'#!/bin/sh\n[ "$1" = save ] && exec cat "{archive}"\nexec "{shutil.which("docker")}" "$@"\n'
    )
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}{os.pathsep}{os.environ['PATH']}")
    said: list[str] = []
    try:
        bake(_context(tmp_path, said), NODE, (SIMPLE,), BAKED)
        assert [] == [line for line in said if "stay packed" in line]
        node = Node(BAKED)
        try:
            assert ["simple"] == node.files(SIMPLE)
        finally:
            docker("rm", "--force", "--volumes", node.name)
    finally:
        docker("image", "rm", "--force", BAKED)


def test_a_broken_lua_library_keeps_the_ingress_image_from_being_built(tmp_path: Path) -> None:
    image = reference(PINS["image-ingress-nginx"])
    if not subprocess.run(("docker", "image", "inspect", image), capture_output=True, check=False).stdout[3:]:
        pytest.skip("the engine no longer has the image by itself")
    check = ("run", "--rm", "--network=none", "--entrypoint=nginx")
    source = (IMAGES / "ingress-nginx/lua/resty/roundrobin.lua").read_text()
    broken = tmp_path / "roundrobin.lua"
    broken.write_text(source.replace("turn.credit + turn.weight", "turn.credit + 1"))
    broken.chmod(0o644)
    tmp_path.chmod(0o755)
    assert broken.read_text() != source, "nothing was broken"
    mount = f"--volume={broken}:/etc/nginx/lua/resty/roundrobin.lua:ro"
    command = ("docker", *check, mount, image, "-c", "/etc/nginx/check.conf")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "check.conf" in done.stderr and "No such file" in done.stderr:
        pytest.skip("the image is upstream's own")
    assert 0 != done.returncode
    assert "round robin does not follow the weights" in done.stderr
    docker(*check, image, "-c", "/etc/nginx/check.conf")


def _context(folder: Path, said: list[str]) -> BuildContext:
    return BuildContext(
        part=replace(PINS["node-image"], name=f"test-{os.getpid()}"),
        out=folder,
        work=folder,
        cache=Cache(root=folder),
        log=folder / "log",
        dependencies={},
        processes=Processes(),
        report=said.append,
    )


def _full(name: str) -> str:
    """The name as containerd has it: with its registry."""
    return name if "." in name.partition("/")[0] else f"docker.io/{name}"


def _image(name: str, *contents: Mapping[str, bytes]) -> bytes:
    """An image with a layer for each content, as the engine loads it."""
    layers = [_tar(content) for content in contents]
    diff_ids = [f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in layers]
    config = {
        **_platform(),
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    }
    files = [f"{number}.tar" for number in range(len(layers))]
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": files}]
    return _tar(
        {
            "config.json": json.dumps(config).encode(),
            "manifest.json": json.dumps(manifest).encode(),
            **dict(zip(files, layers, strict=True)),
        }
    )


def _platform() -> Mapping[str, str]:
    """The engine's own, as an image's configuration and an index tell it."""
    system, _, architecture = (
        docker("version", "--format={{.Server.Os}}/{{.Server.Arch}}").strip().partition("/")
    )
    return {"os": system, "architecture": architecture}


def _saved_from_a_containerd_store(name: str) -> bytes:
    """What `docker save` makes of a pulled image there: of all the platforms listed, one has its content."""
    blobs: dict[str, bytes] = {}

    def blob(kind: str, content: bytes | Mapping[str, object]) -> dict[str, object]:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        digest = hashlib.sha256(data).hexdigest()
        blobs[f"blobs/sha256/{digest}"] = data
        media_type = f"application/vnd.oci.image.{kind}"
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}

    def listing(kind: str, **fields: object) -> dict[str, object]:
        media_type = f"application/vnd.oci.image.{kind}"
        return {"schemaVersion": 2, "mediaType": media_type, **fields}

    layer = blob("layer.v1.tar", _tar({"simple": b"3"}))
    rootfs = {"type": "layers", "diff_ids": [layer["digest"]]}
    config = blob("config.v1+json", {**_platform(), "config": {}, "rootfs": rootfs})
    here = blob("manifest.v1+json", listing("manifest.v1+json", config=config, layers=[layer]))
    elsewhere = {**here, "digest": f"sha256:{'0' * 64}", "platform": {"os": "linux", "architecture": "s390x"}}
    every = blob(
        "index.v1+json", listing("index.v1+json", manifests=[elsewhere, {**here, "platform": _platform()}])
    )
    named = {**every, "annotations": {"io.containerd.image.name": _full(name)}}
    index = json.dumps(listing("index.v1+json", manifests=[named])).encode()
    return _tar({"oci-layout": b'{"imageLayoutVersion": "1.0.0"}', "index.json": index, **blobs})


def _tar(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
