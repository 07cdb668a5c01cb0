"""Builds the images kubeadm runs a control plane and its addons from, for the recipe of node-base.

They go into the node image and nowhere else, so they are no parts of their own.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from toolchain.recipes.debian_node import SUITE
from toolchain.recipes.images import IMAGES, docker_build, dockerfile_folder, put, unpack_debian
from toolchain.sources.build import BuildContext

INPUTS = (*(IMAGES / name for name in ("static", "coredns", "pause", "kube-proxy")), Path(__file__))
NEEDS = ("go", "kubernetes", "etcd", "coredns")
_PROXY_PACKAGES = (
    *("iptables", "libxtables12", "libmnl0", "libnftnl11", "libip4tc2", "libip6tc2"),
    *("libc6", "dash"),
)
_IPTABLES = tuple(f"{ip}{verb}" for ip in ("iptables", "ip6tables") for verb in ("", "-save", "-restore"))


def control_plane(context: BuildContext) -> Mapping[str, str]:
    """Build what kubeadm runs; name -> the reference kubeadm has for it."""
    kubernetes = context.dependency("kubernetes") / "bin"
    references = _references(context, kubernetes / "kubeadm")
    names = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
    programs = {name: kubernetes / name for name in names}
    programs["etcd"] = context.dependency("etcd") / "bin/etcd"
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


def _references(context: BuildContext, kubeadm: Path) -> Mapping[str, str]:
    version = f"--kubernetes-version=v{context.part.version}"
    listed = context.run(str(kubeadm), "config", "images", "list", version).split()
    return {reference.rpartition("/")[2].partition(":")[0]: reference for reference in listed}


def _pause(context: BuildContext, reference: str) -> None:
    folder = dockerfile_folder(context, "pause")
    go = str(context.dependency("go") / "bin" / "go")
    env = {"CGO_ENABLED": "0", "GOCACHE": str(context.cache.go_build)}
    context.run(go, "build", "-trimpath", "-ldflags=-s -w", "-o", "pause", ".", cwd=folder, env=env)
    docker_build(context, folder, reference)


def _kube_proxy(context: BuildContext, program: Path, reference: str) -> None:
    folder = dockerfile_folder(context, "kube-proxy", kube_proxy=program)
    unpack_debian(context, SUITE, _PROXY_PACKAGES, folder / "root")
    for kind in ("nft", "legacy"):
        commands = folder / "root/usr/local/iptables" / kind
        commands.mkdir(parents=True)
        for name in _IPTABLES:
            (commands / name).symlink_to(f"/usr/sbin/xtables-{kind}-multi")
    docker_build(context, folder, reference)
