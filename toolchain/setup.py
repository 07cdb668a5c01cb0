"""One set-up from end to end: what is there already, the lock, the parts, the places they go to.

The warm way asks no network: it compares records and links, and asks the program what the stack needs and
the engine which images it has.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TextIO

from toolchain import lock
from toolchain.browser import browser, ensure_browser
from toolchain.cache import Cache, remove
from toolchain.catalogue import Catalogue
from toolchain.engine import ensure_engine, raise_inotify_limits
from toolchain.errors import WrongUseError
from toolchain.gather import Chore, Gathering, there
from toolchain.needs import Needs, needs_of
from toolchain.pins import Kind, Purpose
from toolchain.placing import Places, misplaced, place
from toolchain.process import Processes
from toolchain.progress import Progress, duration
from toolchain.pulumi_home import PulumiHome
from toolchain.python_env import NAME, PythonEnv
from toolchain.sources import Way
from toolchain.sources.found import search_path
from toolchain.sources.images import has_image, pull_unpinned


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What is to be set up, where, for what, and for which stack (the tests need all of them)."""

    project: Path
    cache: Cache
    catalogue: Catalogue
    platform: str
    purpose: Purpose
    stack: str | None
    extra: tuple[str, ...] = ()
    """Parts that are wanted besides."""
    forced: Way | None
    environment: Mapping[str, str]

    @property
    def goals(self) -> tuple[str, ...]:
        """What is wanted, as far as it is known: what the stack needs is, once there is whom to ask."""
        wanted = self.catalogue.wanted_for(self.purpose, self.needs.parts)
        return (*wanted, *(name for name in self.extra if name not in wanted))

    @property
    def needs(self) -> Needs:
        asks = self.stack is not None and self.purpose not in {Purpose.TEST, Purpose.PUBLISH}
        return self._told_needs if asks and self._python().is_current() else Needs()

    @cached_property
    def _told_needs(self) -> Needs:
        assert self.stack is not None
        told = needs_of(self.stack, self.project)
        if unknown := [name for name in told.parts if name not in self.catalogue.parts]:
            raise WrongUseError(
                f"stack {self.stack} needs {', '.join(unknown)}, which pins.toml does not name",
                hint="mend infra/needs.py or toolchain/pins.toml",
            )
        return Needs(parts=told.parts, images={} if self.purpose is Purpose.PREVIEW else told.images)

    @property
    def images(self) -> tuple[str, ...]:
        """The images that are wanted, as the engine names them."""
        pins = (self.catalogue.parts[goal].image for goal in self.goals)
        return (*(pin.reference for pin in pins if pin), *self.needs.images)

    def is_done(self) -> bool:
        """Whether everything is there and in its place."""
        return (
            self._python().is_current()
            and (browser() is not None or not self._wants_browser())
            and there(self.catalogue, self.cache, self.goals, forced=self.forced) == set(self.goals)
            and not self._missing_images()
            and not misplaced(self._links())
            and (not self._wants_pulumi() or self.pulumi_home().is_ready())
        )

    def run(self, stream: TextIO) -> Collection[str]:
        """Bring everything there, at once where it is; returns what cannot be had and nobody insists on."""
        started_s = time.monotonic()
        forgone: Collection[str] = ()
        if not self.is_done():
            with Progress(stream) as progress, lock.held(self.cache.lock, waiting=progress.note):
                forgone = self._get_everything(progress)
        if self._wants_images():
            raise_inotify_limits(say=lambda line: print(line, file=stream))  # a reboot resets them
        what = f"everything but {', '.join(sorted(forgone))} is" if forgone else "everything is"
        print(f"toolchain: {what} there ({duration(time.monotonic() - started_s)})", file=stream)
        return forgone

    def _get_everything(self, progress: Progress) -> Collection[str]:
        processes = Processes()
        remove(self.cache.work)
        if self._wants_browser():
            ensure_browser(cache=self.cache, say=progress.note)
        forgone = Gathering(
            catalogue=self.catalogue,
            cache=self.cache,
            platform=self.platform,
            forced=self.forced,
            path=search_path(self.environment, (self.project / ".venv", self.cache.root)),
            environment=self.environment,
            processes=processes,
            progress=progress,
        ).run(self._goals_with_engine(processes, progress), chores=self._chores(processes))
        place(self._links())
        if self._wants_pulumi():
            self.pulumi_home().make_ready(cache=self.cache, processes=processes)
        return forgone

    def _goals_with_engine(self, processes: Processes, progress: Progress) -> Callable[[], Collection[str]]:
        """The goals; as soon as there are images among them, the engine and what can only be pulled first."""

        @cache
        def prepare() -> None:
            ensure_engine(cache=self.cache, say=progress.note)
            for reference in self._missing_images():
                pull_unpinned(
                    reference,
                    setting=self.needs.images[reference],
                    processes=processes,
                    log=self.cache.logs / "images.log",
                )

        def goals() -> Collection[str]:
            if self._wants_images():
                prepare()
            return self.goals

        return goals

    def _chores(self, processes: Processes) -> Mapping[str, Chore]:
        python = self._python()
        if python.is_current():
            return {}

        def make(report: Callable[[str], None]) -> None:
            python.make(processes=processes, report=report)

        return {NAME: Chore(how="installing", outcome="installed", run=make)}

    def _wants_pulumi(self) -> bool:
        """Not where a report is only posted: that takes Python's packages and nothing else."""
        return self.purpose is not Purpose.PUBLISH

    def _wants_browser(self) -> bool:
        return self.purpose is Purpose.TEST

    def _wants_images(self) -> bool:
        kinds = {self.catalogue.parts[goal].kind for goal in self.goals}
        return Kind.IMAGE in kinds or bool(self.needs.images)

    def _missing_images(self) -> tuple[str, ...]:
        return tuple(reference for reference in self.needs.images if not has_image(reference))

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
            stack=self.stack,
        )
