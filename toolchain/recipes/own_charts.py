"""The charts that are written here, in toolchain/charts, for those whose upstream cannot be downloaded.

Each accepts the value names of upstream's that the program sets, and no others.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from toolchain.sources.build import BuildContext, Recipe

_CHARTS = Path(__file__).parents[1] / "charts"


def build(context: BuildContext) -> None:
    """A copy of the chart, so that upstream's may stand in the same place."""
    shutil.copytree(_CHARTS / context.part.name.removeprefix("chart-"), context.out / "chart")


RECIPES: Mapping[str, Recipe] = {
    "chart-traefik": Recipe(inputs=(_CHARTS / "traefik", Path(__file__)), build=build)
}
