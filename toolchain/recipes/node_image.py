"""The recipes of kind's node image, where the upstream one cannot be pulled.

node-base     a Kubernetes node with the control plane's images; stands in for upstream's kindest/node
node-image    either of those with the workloads' images in it, so that no cluster pulls or loads any

What node-base differs in from upstream's is told in docs/images.md.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from toolchain.errors import CommandError
from toolchain.recipes.control_plane import INPUTS, NEEDS, control_plane
from toolchain.recipes.images import (
    GO_WRAPPERS,
    IMAGES,
    PART_LABEL,
    docker_build,
    dockerfile_folder,
    go_module,
    note_image,
    put,
    reference_of,
    reference_of_need,
)
from toolchain.sources.build import BuildContext, Recipe, without_debian_as_root

_WORKLOADS = ("image-http-echo", "image-ingress-nginx", "image-prometheus")

_BAKE = IMAGES / "bake.sh"
# An interrupted set-up may leave the container behind: it ends, and goes, by itself.
_BAKE_AT_MOST_S = 1800
# An engine may save an image with the index of all its platforms and the content of but one: its own.
_IMPORT = 'docker save "${@:3}" | docker exec -i "$0" ctr -n k8s.io images import --platform "$1" $2 -'
_PLATFORM = "{{.Os}}/{{.Architecture}}"


def node_base(context: BuildContext) -> None:
    """Kubernetes on Debian with kind's start-up, then the control plane's images imported into it."""
    images = control_plane(context)
    kubernetes = context.dependency("kubernetes") / "bin"
    folder = dockerfile_folder(context, "node-base")
    _copy_kind_files(context, folder / "kind")
    for name in ("kubeadm", "kubelet", "kubectl"):
        put(kubernetes / name, folder / "bin" / name)
    (folder / "version").write_text(f"v{context.part.version}", encoding="utf-8")
    _replace(folder / "files/etc/containerd/config.toml", "@PAUSE@", images["pause"])
    reference = reference_of(context)
    docker_build(context, folder, f"{reference}-empty", DEBIAN=reference_of_need(context, "debian-node"))
    bake(context, f"{reference}-empty", tuple(images.values()), reference)


def node_image(context: BuildContext) -> None:
    """The node with the workloads' images, whichever way each of them came into the engine."""
    base, *images = (reference_of_need(context, name) for name in ("node-base", *_WORKLOADS))
    bake(context, base, tuple(images), reference_of(context))


def bake(context: BuildContext, base: str, images: tuple[str, ...], reference: str) -> None:
    """Import images into the containerd of a node image, and keep the outcome under a name of its own."""
    context.say(f"putting {len(images)} images into {reference}")
    name = f"loadproof-bake-{context.part.name}"
    context.run("docker", "rm", "--force", "--volumes", name)
    options = ("--detach", "--rm", f"--name={name}", "--privileged", "--network=none", "--entrypoint=sleep")
    container = context.run("docker", "run", *options, base, str(_BAKE_AT_MOST_S)).strip()
    try:
        _in_container(context, container, "start")
        platform = context.run("docker", "image", "inspect", "--format", _PLATFORM, base).strip()
        _import(context, container, platform, images)
        changes = (
            'ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]',
            "CMD []",
            f"LABEL {PART_LABEL}={context.part.name}",
        )
        context.run("docker", "commit", *(f"--change={change}" for change in changes), container, reference)
    finally:
        context.run("docker", "rm", "--force", "--volumes", container)
    note_image(context, reference)


def _import(context: BuildContext, container: str, platform: str, images: tuple[str, ...]) -> None:
    """Import images, unpacked where that is possible: then no node has to do it."""
    run = ("bash", "-o", "pipefail", "-c", _IMPORT, container, platform)
    try:
        context.run(*run, "", *images)
    except CommandError as error:
        # A layer that deletes files of those below (a whiteout) cannot be unpacked inside a container.
        if "whiteout" not in error.message:
            raise
        context.say("a layer deletes files: the images stay packed until a node first uses them")
        context.run(*run, "--no-unpack", *images)
        _in_container(context, container, "stop")
        return
    for verb in ("discard", "stop", "share"):
        _in_container(context, container, verb)


def _in_container(context: BuildContext, container: str, verb: str) -> None:
    context.run("docker", "exec", "--interactive", container, "bash", "-s", verb, stdin=_BAKE.read_bytes())


def _copy_kind_files(context: BuildContext, folder: Path) -> None:
    """kind's own start-up script and units; the module cache keeps no file modes, so they are set anew."""
    shutil.copytree(go_module(context, "kind", "sigs.k8s.io/kind") / "images/base/files", folder)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)


def _replace(file: Path, old: str, new: str) -> None:
    file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


RECIPES: Mapping[str, Recipe] = {
    "node-base": Recipe(
        needs=(*NEEDS, "debian-node"),
        inputs=(*INPUTS, IMAGES / "node-base", GO_WRAPPERS / "kind", _BAKE, Path(__file__)),
        build=node_base,
        impossible=without_debian_as_root,
    ),
    "node-image": Recipe(needs=("node-base", *_WORKLOADS), inputs=(_BAKE, Path(__file__)), build=node_image),
}
