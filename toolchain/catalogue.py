"""All parts with their recipes and keys: what is wanted, before asking what is there.

A part's key stands for everything that goes into it (its row of pins.toml, the files its recipe reads, the
keys of the parts it needs), so that a changed input is another folder in the cache and an unchanged one is
never made twice. It does not depend on the way the part is got.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from toolchain.errors import WrongUseError
from toolchain.pins import Part, Purpose
from toolchain.sources.build import Recipe

_KEY_LENGTH = 12
_DECIDES_NOTHING = frozenset({"for", "by_stack", "optional", "found", "links", "place", "build_s"})


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """Parts, recipes and keys by the part's name."""

    parts: Mapping[str, Part]
    recipes: Mapping[str, Recipe]
    keys: Mapping[str, str]

    @classmethod
    def of(cls, parts: Mapping[str, Part], recipes: Mapping[str, Recipe]) -> Catalogue:
        needs = {name: recipes[name].needs if name in recipes else () for name in parts}
        for name, needed in needs.items():
            for other in needed:
                if other not in parts:
                    raise _wrong_table(f"the recipe of {name} needs {other}, which pins.toml does not name")
        for name in recipes:
            if name not in parts:
                raise _wrong_table(f"there is a recipe for {name}, which pins.toml does not name")
        keys: dict[str, str] = {}
        try:
            for name in TopologicalSorter(needs).static_order():
                keys[name] = _key(parts[name], recipes.get(name), [keys[other] for other in needs[name]])
        except CycleError as error:
            raise _wrong_table(f"parts need each other in a circle: {' -> '.join(error.args[1])}") from error
        return cls(parts=parts, recipes=recipes, keys=keys)

    def wanted_for(self, purpose: Purpose, needed: Collection[str] = ()) -> tuple[str, ...]:
        """What a purpose wants; of what depends on the stack, what is needed (the tests want all)."""
        return tuple(
            name
            for name, part in self.parts.items()
            if purpose in part.purposes and (not part.by_stack or purpose is Purpose.TEST or name in needed)
        )


def _wrong_table(message: str) -> WrongUseError:
    return WrongUseError(message, hint="mend toolchain/pins.toml or toolchain/recipes")


def _key(part: Part, recipe: Recipe | None, needed_keys: Iterable[str]) -> str:
    digest = hashlib.sha256()
    row = {name: value for name, value in part.row.items() if name not in _DECIDES_NOTHING}
    digest.update(json.dumps([part.name, row, list(needed_keys)], sort_keys=True).encode())
    digest.update(recipe.row.encode() if recipe else b"")
    for source in recipe.inputs if recipe else ():
        for name, content in _contents(source):
            digest.update(f"\0{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:_KEY_LENGTH]


def _contents(source: Path) -> Iterator[tuple[str, bytes]]:
    if source.is_file():
        yield source.name, source.read_bytes()
        return
    for file in sorted(source.rglob("*")):
        if file.is_file() and file.suffix != ".pyc":
            yield f"{source.name}/{file.relative_to(source)}", file.read_bytes()
