"""The recipes of kind's node image, where the upstream one cannot be pulled.

debian-node   Debian with systemd and containerd
node-base     a Kubernetes node with the control plane's images; stands in for upstream's kindest/node
node-image    either of those with the workloads' images in it, so that no cluster pulls or loads any

What node-base differs in from upstream's is told in docs/images.md.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from toolchain.debian import debian_source
from toolchain.errors import ToolchainError
from toolchain.recipes.images import (
    GO_WRAPPERS,
    IMAGES,
    docker_build,
    dockerfile_folder,
    go_module,
    note_image,
    put,
    reference_of,
    unpack_debian,
)
from toolchain.sources.build import BuildContext, Recipe

# systemd of the next release refuses cgroup v1.
_SUITE = "bookworm"
_NODE_PACKAGES = (
    *("systemd", "dbus", "mount", "kmod", "procps", "util-linux", "ca-certificates", "jq"),
    *("containerd", "runc", "containernetworking-plugins"),
    *("conntrack", "ethtool", "iproute2", "iptables", "socat"),
)
# What Debian packages carry for people: no node is ever read by one.
_UNREAD = (
    "usr/share/doc",
    "usr/share/man",
    "usr/share/locale",
    "usr/share/info",
    "var/cache/apt",
    "var/lib/apt/lists",
)
_PROXY_PACKAGES = (
    "iptables",
    "libxtables12",
    "libmnl0",
    "libnftnl11",
    "libip4tc2",
    "libip6tc2",
    "libc6",
    "dash",
)
_IPTABLES = tuple(f"{ip}{verb}" for ip in ("iptables", "ip6tables") for verb in ("", "-save", "-restore"))
_WORKLOADS = ("image-http-echo", "image-ingress-nginx", "image-prometheus")

_READY = "for _ in $(seq 100); do ctr version >/dev/null 2>&1 && exit; sleep 0.1; done; exit 1"
_IMPORT = 'docker save "$@" | docker exec -i "$0" ctr --namespace=k8s.io images import --all-platforms -'
# Unpacked, a layer's archive is never read again, and each new node would copy it.
_DISCARD = (
    "ctr --namespace=k8s.io content ls | awk '/containerd.io.uncompressed/ {print $1}'"
    " | xargs ctr --namespace=k8s.io content rm"
    # Only this makes containerd collect what nothing refers to any more before it ends.
    " && ctr --namespace=k8s.io leases rm --sync $(ctr --namespace=k8s.io leases create)"
)
_END = "pkill -x containerd; while pgrep -x containerd >/dev/null; do sleep 0.1; done"


def debian_node(context: BuildContext) -> None:
    """Debian's own bootstrap into a folder, then as one layer into the engine."""
    if os.geteuid() != 0:
        raise ToolchainError(
            f"{context.part.name}: bootstrapping Debian into a folder needs root",
            hint="run the set-up as root, or where an image registry is reachable: there the image is pulled",
        )
    root, tool, source = context.work / "root", context.work / "tool", debian_source()
    unpack_debian(context, _SUITE, ("debootstrap",), tool)
    context.say(f"bootstrapping Debian {_SUITE} from {source.uri}")
    context.run(
        str(tool / "usr/sbin/debootstrap"),
        "--variant=minbase",
        f"--keyring={source.keyring}",
        f"--include={','.join(_NODE_PACKAGES)}",
        _SUITE,
        str(root),
        source.uri,
        env={"DEBOOTSTRAP_DIR": str(tool / "usr/share/debootstrap")},
    )
    for name in _UNREAD:
        shutil.rmtree(root / name, ignore_errors=True)
    folder = dockerfile_folder(context, "debian-node")
    context.run(
        "tar", "--create", "--numeric-owner", f"--file={folder / 'root.tar'}", f"--directory={root}", "."
    )
    docker_build(context, folder, reference_of(context))
    note_image(context, reference_of(context))


def node_base(context: BuildContext) -> None:
    """Kubernetes on Debian with kind's start-up, then the control plane's images imported into it."""
    images = _control_plane(context)
    kubernetes = context.dependency("kubernetes") / "bin"
    folder = dockerfile_folder(context, "node-base")
    _copy_kind_files(context, folder / "kind")
    for name in ("kubeadm", "kubelet", "kubectl"):
        put(kubernetes / name, folder / "bin" / name)
    (folder / "version").write_text(f"v{context.part.version}", encoding="utf-8")
    _replace(folder / "files/etc/containerd/config.toml", "@PAUSE@", images["pause"])
    debian = json.loads((context.dependency("debian-node") / "image.json").read_text(encoding="utf-8"))
    reference = reference_of(context)
    docker_build(context, folder, f"{reference}-empty", DEBIAN=debian["reference"])
    bake(context, f"{reference}-empty", tuple(images.values()), reference)


def node_image(context: BuildContext) -> None:
    """The node with the workloads' images, whichever way each of them came into the engine."""
    names = ("node-base", *_WORKLOADS)
    base, *images = (
        json.loads((context.dependency(name) / "image.json").read_text(encoding="utf-8"))["reference"]
        for name in names
    )
    bake(context, base, tuple(images), reference_of(context))


def bake(context: BuildContext, base: str, images: tuple[str, ...], reference: str) -> None:
    """Import images into the containerd of a node image, and keep the outcome under a name of its own."""
    context.say(f"putting {len(images)} images into {reference}")
    run = (
        "docker",
        "run",
        "--detach",
        "--privileged",
        "--network=none",
        "--entrypoint=sleep",
        base,
        "infinity",
    )
    container = context.run(*run).strip()
    try:
        context.run("docker", "exec", "--detach", container, "containerd")
        context.run("docker", "exec", container, "bash", "-c", _READY)
        context.run("bash", "-o", "pipefail", "-c", _IMPORT, container, *images)
        context.run("docker", "exec", container, "bash", "-c", _DISCARD)
        context.run("docker", "exec", container, "bash", "-c", _END)
        entry = 'ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]'
        context.run("docker", "commit", "--change", entry, "--change", "CMD []", container, reference)
    finally:
        context.run("docker", "rm", "--force", "--volumes", container)
    note_image(context, reference)


def _control_plane(context: BuildContext) -> Mapping[str, str]:
    """Build what kubeadm runs; name -> the reference kubeadm has for it."""
    kubernetes = context.dependency("kubernetes") / "bin"
    listed = context.run(
        str(kubernetes / "kubeadm"),
        "config",
        "images",
        "list",
        f"--kubernetes-version=v{context.part.version}",
    )
    references = {line.rpartition("/")[2].partition(":")[0]: line for line in listed.split()}
    programs = {
        "etcd": context.dependency("etcd") / "bin/etcd",
        **{
            name: kubernetes / name
            for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
        },
    }
    for name, program in programs.items():
        folder = dockerfile_folder(context, "static")
        put(program, folder / name)
        docker_build(context, folder, references[name], PROGRAM=name)
        shutil.rmtree(folder)
    coredns = context.dependency("coredns") / "bin/coredns"
    docker_build(context, dockerfile_folder(context, "coredns", coredns=coredns), references["coredns"])
    _pause(context, references["pause"])
    _kube_proxy(context, kubernetes / "kube-proxy", references["kube-proxy"])
    return references


def _pause(context: BuildContext, reference: str) -> None:
    folder = dockerfile_folder(context, "pause")
    go = str(context.dependency("go") / "bin" / "go")
    env = {"CGO_ENABLED": "0", "GOCACHE": str(context.cache.go_build)}
    context.run(go, "build", "-trimpath", "-ldflags=-s -w", "-o", "pause", ".", cwd=folder, env=env)
    docker_build(context, folder, reference)


def _kube_proxy(context: BuildContext, program: Path, reference: str) -> None:
    folder = dockerfile_folder(context, "kube-proxy", kube_proxy=program)
    unpack_debian(context, _SUITE, _PROXY_PACKAGES, folder / "root")
    for kind in ("nft", "legacy"):
        commands = folder / "root/usr/local/iptables" / kind
        commands.mkdir(parents=True)
        for name in _IPTABLES:
            (commands / name).symlink_to(f"/usr/sbin/xtables-{kind}-multi")
    docker_build(context, folder, reference)


def _copy_kind_files(context: BuildContext, folder: Path) -> None:
    """kind's own start-up script and units; the module cache keeps no file modes, so they are set anew."""
    shutil.copytree(go_module(context, "kind", "sigs.k8s.io/kind") / "images/base/files", folder)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)


def _replace(file: Path, old: str, new: str) -> None:
    file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


RECIPES: Mapping[str, Recipe] = {
    "debian-node": Recipe(inputs=(IMAGES / "debian-node", Path(__file__)), build=debian_node),
    "node-base": Recipe(
        needs=("go", "kubernetes", "etcd", "coredns", "debian-node"),
        inputs=(
            *(IMAGES / n for n in ("static", "coredns", "pause", "kube-proxy", "node-base")),
            GO_WRAPPERS / "kind",
            Path(__file__),
        ),
        build=node_base,
    ),
    "node-image": Recipe(needs=("node-base", *_WORKLOADS), inputs=(Path(__file__),), build=node_image),
}
