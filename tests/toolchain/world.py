"""A small world for the set-up: its own pins, recipes and cache, on the real file system."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from toolchain.cache import Cache, Record
from toolchain.catalogue import Catalogue
from toolchain.gather import Chore, Gathering
from toolchain.pins import load_pins
from toolchain.process import Processes
from toolchain.progress import Progress
from toolchain.sources import Way
from toolchain.sources.build import Recipe

PLATFORM = "linux-amd64"


@dataclass(kw_only=True)
class World:
    folder: Path
    pins: str = ""
    recipes: Mapping[str, Recipe] = field(default_factory=dict)
    path: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    said: str = ""

    @property
    def cache(self) -> Cache:
        return Cache(root=self.folder / "cache")

    @property
    def catalogue(self) -> Catalogue:
        file = self.folder / "pins.toml"
        file.write_text(self.pins, encoding="utf-8")
        return Catalogue.of(load_pins(file), self.recipes)

    def gather(
        self,
        *goals: str,
        forced: Way | None = None,
        platform: str = PLATFORM,
        chores: Mapping[str, Chore] = MappingProxyType({}),
        asking: Callable[[], None] = lambda: None,
    ) -> None:
        """Get the goals; what the progress view said is in `said`. Whoever asks for them calls `asking`."""

        def asked() -> Collection[str]:
            asking()
            return goals

        stream = io.StringIO()
        try:
            with Progress(stream) as progress:
                Gathering(
                    catalogue=self.catalogue,
                    cache=self.cache,
                    platform=platform,
                    forced=forced,
                    path=self.path,
                    environment=self.environment,
                    processes=Processes(),
                    progress=progress,
                ).run(asked, chores=chores)
        finally:
            self.said = stream.getvalue()

    def part_folder(self, name: str) -> Path:
        catalogue = self.catalogue
        return self.cache.folder(catalogue.parts[name], catalogue.keys[name])

    def record(self, name: str) -> Record | None:
        catalogue = self.catalogue
        return self.cache.record(catalogue.parts[name], catalogue.keys[name])


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def tool_row(
    name: str, *, url: str = "", content: bytes = b"", found: bool = False, version: str = "1.2.3"
) -> str:
    """A row of pins.toml for a tool that is one bare file."""
    lines = [f"[{name}]", f'version = "{version}"', 'kind = "tool"', f'unpack = {{ file = "{name}" }}']
    if found:
        lines.append(f'found = {{ version = ["{name}", "--version"] }}')
    if url:
        lines.append(f'download = {{ url = "{url}", sha256 = "{sha256(content)}" }}')
    return "\n".join(lines) + "\n"


def install_tool(folder: Path, name: str, version: str) -> Path:
    """A command that prints its version, as a machine may have it."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\necho {name} v{version} built with go1.26\n", encoding="utf-8")
    file.chmod(0o755)
    return file
