"""The recipes of all parts, by name: one table, so that the set can be read in one place."""

from __future__ import annotations

from collections.abc import Mapping

from toolchain.recipes import go_compiler, go_parts
from toolchain.sources.build import Recipe

RECIPES: Mapping[str, Recipe] = {
    **go_compiler.RECIPES,
    **go_parts.RECIPES,
}
