"""Which images are one static program and nothing else, each built of the part of the same name.

What each differs in from upstream's is told in docs/images.md. The key of an image depends on its own
Dockerfile, not on the other names here.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path

from toolchain.recipes import static_image
from toolchain.recipes.images import IMAGES
from toolchain.sources.build import Recipe

_PROGRAMS = ("http-echo", "metrics-server", "prometheus", "traefik")


def _recipe(program: str) -> Recipe:
    return Recipe(
        needs=(program,),
        inputs=(IMAGES / program, Path(inspect.getfile(static_image))),
        build=static_image.build,
    )


RECIPES: Mapping[str, Recipe] = {f"image-{program}": _recipe(program) for program in _PROGRAMS}
