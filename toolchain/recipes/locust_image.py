"""The recipe of image-locust: what master and workers of a load from inside the cluster run.

locust and what it needs are those of the project's own lock file; the programs they run are mounted into
their pods, none is in the image.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from pathlib import Path

from toolchain.python_env import interpreter_with_pip
from toolchain.recipes.images import IMAGES, dockerfile_folder, finish, unpack_debian
from toolchain.sources.build import BuildContext, Recipe, without_debian

# Its Python is the one that the requirements are locked for.
_SUITE = "bookworm"
_PYTHON = "3.11"
_GLIBC_MINOR = 36
_OLDEST_GLIBC_MINOR = 5
_PACKAGES = (
    *(f"python{_PYTHON}", f"python{_PYTHON}-minimal", "python3-minimal"),
    *(f"libpython{_PYTHON}-minimal", f"libpython{_PYTHON}-stdlib"),
    *("libc6", "libgcc-s1", "libstdc++6", "libcrypt1", "libssl3", "zlib1g", "libbz2-1.0", "liblzma5"),
    *("libexpat1", "libffi8", "libsqlite3-0", "libuuid1", "media-types", "netbase"),
)


def locust(context: BuildContext) -> None:
    """Debian's Python with the locked packages beside it."""
    folder = dockerfile_folder(context, "locust")
    unpack_debian(context, _SUITE, _PACKAGES, folder / "root")
    (folder / "root/tmp").mkdir()
    (folder / "root/tmp").chmod(0o1777)
    context.say("installing locust with pip")
    context.run(
        *(interpreter_with_pip(), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"),
        *("--progress-bar=off", "--require-hashes", "--no-deps", "--no-compile", "--only-binary=:all:"),
        *(f"--python-version={_PYTHON}", "--implementation=cp", *_platforms(platform.machine())),
        *("--target", str(folder / "packages"), "--requirement", str(folder / "requirements.txt")),
    )
    (folder / "requirements.txt").unlink()
    finish(context, folder)


def _platforms(machine: str) -> tuple[str, ...]:
    """Every platform whose packages run on the image's C library; pip cannot know for another Python."""
    tags = [f"manylinux_2_{minor}" for minor in range(_GLIBC_MINOR, _OLDEST_GLIBC_MINOR - 1, -1)]
    return tuple(f"--platform={tag}_{machine}" for tag in (*tags, "manylinux2014"))


RECIPES: Mapping[str, Recipe] = {
    "image-locust": Recipe(
        inputs=(IMAGES / "locust", Path(__file__)), build=locust, impossible=without_debian
    )
}
