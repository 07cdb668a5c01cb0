"""Builds a part from what the package registries hold, by its recipe.

A recipe is a plain function in `toolchain.recipes`; what it may use is the BuildContext it is given.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from toolchain.cache import Cache
from toolchain.debian import debian_source
from toolchain.errors import ToolchainError
from toolchain.pins import Part
from toolchain.process import Processes


@dataclass(frozen=True, kw_only=True)
class BuildContext:
    """Everything a recipe has: its part, where to put it, and how to run commands."""

    part: Part
    out: Path
    """An empty folder to fill; renamed into place as a whole when the recipe returns."""
    work: Path
    """A scratch folder, removed afterwards."""
    cache: Cache
    log: Path
    dependencies: Mapping[str, Path]
    processes: Processes = field(repr=False)
    report: Callable[[str], None] = field(repr=False)

    def run(
        self,
        *args: str,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
    ) -> str:
        """Run a command to the end and return its stdout; `env` is added to this process's own."""
        return self.processes.run(args, log=self.log, what=self.part.name, cwd=cwd, env=env, stdin=stdin)

    def dependency(self, name: str) -> Path:
        """The folder of a part that the recipe's `needs` name."""
        return self.dependencies[name]

    def say(self, what: str) -> None:
        """What is happening now, for the progress view."""
        self.report(what)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a part is built: what must be there first, which files decide the outcome, and the way itself."""

    needs: tuple[str, ...] = ()
    inputs: tuple[Path, ...] = ()
    row: str = ""
    """What a table of several parts says of this one: it decides the outcome as the files do."""
    build: Callable[[BuildContext], None]
    impossible: Callable[[], str | None] = lambda: None
    """Why this machine cannot build it, if so: asked before anything that it needs is got."""


def without_debian() -> str | None:
    """Why no Debian package can be unpacked here, if so."""
    try:
        debian_source()
    except ToolchainError as error:
        return error.message
    return None


def without_debian_as_root() -> str | None:
    """Why no Debian system can be bootstrapped into a folder here, if so."""
    return without_debian() or (
        None if os.geteuid() == 0 else "bootstrapping Debian into a folder needs root"
    )
