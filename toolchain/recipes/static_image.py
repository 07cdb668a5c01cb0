"""Builds an image of one static program, as its Dockerfile in toolchain/images says."""

from __future__ import annotations

from toolchain.recipes.images import dockerfile_folder, finish, put
from toolchain.sources.build import BuildContext


def build(context: BuildContext) -> None:
    """The program of the image's name, and an empty folder for whatever it writes."""
    program = context.part.name.removeprefix("image-")
    folder = dockerfile_folder(context, program)
    put(context.dependency(program) / "bin" / program, folder / program)
    (folder / "empty").mkdir()
    finish(context, folder)
