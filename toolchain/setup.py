"""One set-up from end to end: what is there already, the lock, the parts, the places they go to.

The warm way runs no tool and asks no network: it compares records, links and one answer of the engine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from toolchain import lock
from toolchain.cache import Cache, remove
from toolchain.catalogue import Catalogue
from toolchain.engine import ensure_engine, raise_inotify_limits
from toolchain.gather import Chore, Gathering, there
from toolchain.pins import Kind, Purpose
from toolchain.placing import Places, misplaced, place
from toolchain.process import Processes
from toolchain.progress import Progress, duration
from toolchain.pulumi_home import PulumiHome
from toolchain.python_env import NAME, PythonEnv
from toolchain.sources import Way
from toolchain.sources.found import search_path


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What is to be set up, where, and for what."""

    project: Path
    cache: Cache
    catalogue: Catalogue
    platform: str
    purpose: Purpose
    forced: Way | None
    environment: Mapping[str, str]

    @property
    def goals(self) -> tuple[str, ...]:
        return self.catalogue.wanted_for(self.purpose)

    def is_done(self) -> bool:
        """Whether everything is there and in its place."""
        return (
            self._python().is_current()
            and there(self.catalogue, self.cache, self.goals, forced=self.forced) == set(self.goals)
            and not misplaced(self._links())
            and self.pulumi_home().is_ready()
        )

    def run(self, stream: TextIO) -> None:
        """Bring everything there; returns at once where it is."""
        started_s = time.monotonic()
        if self._wants_images():
            raise_inotify_limits(say=lambda line: print(line, file=stream))  # a reboot resets them
        if not self.is_done():
            with Progress(stream) as progress, lock.held(self.cache.lock, waiting=progress.note):
                self._get_everything(progress)
        print(f"toolchain: everything is there ({duration(time.monotonic() - started_s)})", file=stream)

    def _get_everything(self, progress: Progress) -> None:
        processes = Processes()
        remove(self.cache.work)
        if self._wants_images():
            ensure_engine(cache=self.cache, say=progress.note)
        Gathering(
            catalogue=self.catalogue,
            cache=self.cache,
            platform=self.platform,
            forced=self.forced,
            path=search_path(self.environment, (self.project / ".venv", self.cache.root)),
            environment=self.environment,
            processes=processes,
            progress=progress,
        ).run(self.goals, chores=self._chores(processes))
        place(self._links())
        self.pulumi_home().make_ready(cache=self.cache, processes=processes)

    def _chores(self, processes: Processes) -> Mapping[str, Chore]:
        python = self._python()
        if python.is_current():
            return {}

        def make(report: Callable[[str], None]) -> None:
            python.make(processes=processes, report=report)

        return {NAME: Chore(how="installing", outcome="installed", run=make)}

    def _wants_images(self) -> bool:
        return any(self.catalogue.parts[goal].kind is Kind.IMAGE for goal in self.goals)

    def _python(self) -> PythonEnv:
        return PythonEnv(project=self.project, purpose=self.purpose, cache=self.cache)

    def _links(self) -> Mapping[Path, Path]:
        places = Places.of(self.project, self.environment)
        return places.links(self.catalogue, self.cache, self.goals)

    def pulumi_home(self) -> PulumiHome:
        folder = self.cache.folder(self.catalogue.parts["pulumi"], self.catalogue.keys["pulumi"])
        return PulumiHome(
            places=Places.of(self.project, self.environment),
            engine=folder / "bin" / "pulumi",
            environment=self.environment,
        )
