"""The recipe of debian-node: Debian with systemd and containerd, what a node image is built upon.

Its packages come from Debian's own bootstrap, so their versions are those of the release at that time.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from toolchain.debian import debian_source, path_with_sbin
from toolchain.errors import ToolchainError
from toolchain.recipes.images import (
    IMAGES,
    docker_build,
    dockerfile_folder,
    note_image,
    reference_of,
    unpack_debian,
)
from toolchain.sources.build import BuildContext, Recipe, without_debian_as_root

# systemd of the next release refuses cgroup v1.
SUITE = "bookworm"
_PACKAGES = (
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


def debian_node(context: BuildContext) -> None:
    """Debian's own bootstrap into a folder, then as one layer into the engine."""
    if os.geteuid() != 0:
        raise ToolchainError(
            f"{context.part.name}: bootstrapping Debian into a folder needs root",
            hint="run the set-up as root, or where an image registry is reachable: there the image is pulled",
        )
    root, tool, source = context.work / "root", context.work / "tool", debian_source()
    unpack_debian(context, SUITE, ("debootstrap",), tool)
    context.say(f"bootstrapping Debian {SUITE} from {source.uri}")
    # What it mounts goes with it, even if it is killed; without that, /proc and /sys would stay mounted.
    context.run(
        *("unshare", "--mount"),
        str(tool / "usr/sbin/debootstrap"),
        "--variant=minbase",
        f"--keyring={source.keyring}",
        f"--include={','.join(_PACKAGES)}",
        SUITE,
        str(root),
        source.uri,
        env={"DEBOOTSTRAP_DIR": str(tool / "usr/share/debootstrap"), "PATH": path_with_sbin()},
    )
    for name in _UNREAD:
        shutil.rmtree(root / name, ignore_errors=True)
    folder = dockerfile_folder(context, "debian-node")
    context.run(
        "tar", "--create", "--numeric-owner", f"--file={folder / 'root.tar'}", f"--directory={root}", "."
    )
    docker_build(context, folder, reference_of(context))
    note_image(context, reference_of(context))


RECIPES: Mapping[str, Recipe] = {
    "debian-node": Recipe(
        inputs=(IMAGES / "debian-node", Path(__file__)),
        build=debian_node,
        impossible=without_debian_as_root,
    ),
}
