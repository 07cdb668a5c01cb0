"""Gets every part that is wanted and not there: asks the plan, runs its steps side by side, asks again.

A way that does not lead to its part closes that way and no more; any other failure ends the whole set-up,
and what is finished by then is kept.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from toolchain.cache import Cache, free_bytes, remove
from toolchain.catalogue import Catalogue
from toolchain.errors import NotObtainableError, ToolchainError
from toolchain.pins import Part
from toolchain.plan import Situation, Step, plan
from toolchain.process import Processes
from toolchain.progress import Progress
from toolchain.sources import Way
from toolchain.sources.build import BuildContext
from toolchain.sources.download import download
from toolchain.sources.found import find_plugin, find_tool
from toolchain.sources.hosts import Hosts
from toolchain.sources.images import find_image, image_ids, pull_image, recorded_id, registry_address

_STEPS_AT_ONCE = 4
_BUILDS_AT_ONCE = 2


@dataclass(frozen=True, kw_only=True)
class Chore:
    """Work beside the parts that needs none of them."""

    how: str
    outcome: str
    run: Callable[[Callable[[str], None]], None]


class Gathering:
    """One set-up's work on the parts."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        cache: Cache,
        platform: str,
        forced: Way | None,
        path: str,
        environment: Mapping[str, str],
        processes: Processes,
        progress: Progress,
    ) -> None:
        self._catalogue = catalogue
        self._cache = cache
        self._platform = platform
        self._forced = forced
        self._path = path
        self._environment = environment
        self._processes = processes
        self._progress = progress
        self._hosts = Hosts(addresses(catalogue, platform))
        self._closed = impossible_builds(catalogue, platform)
        self._goals: set[str] = set()
        self._there: set[str] = set()
        self._forgone: set[str] = set()

    def run(self, goals: Callable[[], Collection[str]], *, chores: Mapping[str, Chore]) -> frozenset[str]:
        """Get the goals and what they need, with the chores beside; returns what everything works without.

        The goals are asked for again whenever something is done: what chores bring may tell of more.
        """
        self._say_what_is_damaged()
        with ThreadPoolExecutor(max_workers=_STEPS_AT_ONCE + len(chores)) as pool:
            try:
                errands = {pool.submit(self._do, name, chore) for name, chore in chores.items()}
                self._work_off(goals, errands, pool)
            except BaseException:
                self._processes.stop()
                raise
        return frozenset(self._forgone)

    def _work_off(
        self, goals: Callable[[], Collection[str]], errands: set[Future[None]], pool: ThreadPoolExecutor
    ) -> None:
        running: dict[Future[None], Step] = {}
        while (steps := self._plan(self._asked(goals))) or errands:
            for step in ready(steps, tuple(running.values())):
                quiet = step.way is Way.FOUND or step.part.optional
                self._progress.begin(step.part.name, _HOW[step.way], announce=not quiet)
                running[pool.submit(self._get, step)] = step
            busy = {step.part.name for step in running.values()}
            self._progress.left(tuple(step.part.name for step in steps if step.part.name not in busy))
            done = wait((*running, *errands), return_when=FIRST_COMPLETED).done
            for errand in done & errands:
                errand.result()
            for future in done - errands:
                self._settle(running.pop(future), future)
            errands -= done

    def _asked(self, goals: Callable[[], Collection[str]]) -> Collection[str]:
        """The goals now; whenever they are others, what is there is looked at once they are known.

        Not before: asking for images among them may start the engine that has them.
        """
        asked = goals()
        if set(asked) != self._goals:
            self._goals = set(asked)
            self._there |= there(self._catalogue, self._cache, self._catalogue.parts, forced=self._forced)
        return asked

    def _do(self, name: str, chore: Chore) -> None:
        self._progress.begin(name, chore.how)
        chore.run(lambda what: self._report(name, what))
        self._progress.done(name, chore.outcome)

    def _plan(self, goals: Collection[str]) -> tuple[Step, ...]:
        situation = Situation(
            there=self._there, closed=self._closed, forced=self._forced, platform=self._platform
        )
        return plan(self._catalogue, [goal for goal in goals if not self._forgo(goal, situation)], situation)

    def _forgo(self, goal: str, situation: Situation) -> bool:
        """Whether this is a part to go on without, because no way leads to it; that is said once."""
        if goal not in self._forgone and self._catalogue.parts[goal].optional:
            try:
                plan(self._catalogue, (goal,), situation)
            except ToolchainError:
                self._forgone.add(goal)
                reasons = "; ".join(self._closed.get(goal, {}).values()) or "there is no such way to it"
                self._progress.note(f"{goal}: cannot be had here, going on without it ({reasons})")
        return goal in self._forgone

    def _settle(self, step: Step, future: Future[None]) -> None:
        part, way = step.part, step.way
        try:
            future.result()
        except NotObtainableError as reason:
            self._closed.setdefault(part.name, {})[way] = reason.message
            # What an optional part failed by is told once, when no way is left.
            quiet = way is Way.FOUND or part.optional
            self._progress.drop(part.name, None if quiet else reason.message)
        except OSError as error:
            raise _file_system_error(part, self._cache, error) from error
        else:
            self._there.add(part.name)
            self._progress.done(part.name, f"{part.version} {way.done}")

    def _get(self, step: Step) -> None:
        """Fill a work folder by the step's way and publish it."""
        part = step.part
        started_s = time.monotonic()
        work = self._cache.new_work(part)
        out = work / "out"
        out.mkdir()
        origin = self._fill(step, out, work / "scratch")
        self._cache.publish(
            part,
            self._catalogue.keys[part.name],
            out,
            way=step.way.value,
            origin=origin,
            seconds=time.monotonic() - started_s,
        )
        remove(work)

    def _fill(self, step: Step, out: Path, scratch: Path) -> str:
        part, log = step.part, self._cache.logs / f"{step.part.name}.log"
        if step.way is Way.BUILD:
            return self._build(part, out, scratch, log)
        if part.image is not None and step.way is Way.FOUND:
            return find_image(part, part.image, out, processes=self._processes, log=log)
        if part.image is not None:
            return pull_image(part, part.image, out, hosts=self._hosts, processes=self._processes, log=log)
        if step.way is Way.DOWNLOAD:
            return download(
                part,
                part.downloads[self._platform],
                out,
                downloads=self._cache.downloads,
                hosts=self._hosts,
                report=lambda what: self._report(part.name, what),
            )
        if part.found is not None:
            return find_tool(part, part.found, out, path=self._path, processes=self._processes, log=log)
        return find_plugin(part, out, environment=self._environment)

    def _build(self, part: Part, out: Path, scratch: Path, log: Path) -> str:
        recipe = self._catalogue.recipes[part.name]
        scratch.mkdir()
        log.parent.mkdir(parents=True, exist_ok=True)
        log.unlink(missing_ok=True)
        recipe.build(
            BuildContext(
                part=part,
                out=out,
                work=scratch,
                cache=self._cache,
                log=log,
                dependencies={name: self._folder(name) for name in recipe.needs},
                processes=self._processes,
                report=lambda what: self._report(part.name, what),
            )
        )
        return "registry sources"

    def _report(self, name: str, what: str) -> None:
        self._processes.go_on()
        self._progress.say(name, what)

    def _folder(self, name: str) -> Path:
        return self._cache.folder(self._catalogue.parts[name], self._catalogue.keys[name])

    def _say_what_is_damaged(self) -> None:
        for name, part in self._catalogue.parts.items():
            damage = self._cache.damage(part, self._catalogue.keys[name])
            if damage:
                self._progress.note(f"{name}: its cache entry is damaged ({damage}); getting it again")


_HOW = {
    Way.FOUND: "looking for it on this machine",
    Way.DOWNLOAD: "downloading",
    Way.BUILD: "building from registry sources",
}


def ready(steps: tuple[Step, ...], running: tuple[Step, ...]) -> tuple[Step, ...]:
    """Which of the planned steps can start now, beside those that run."""
    busy = {step.part.name for step in running}
    slots = _STEPS_AT_ONCE - len(running)
    builds = _BUILDS_AT_ONCE - sum(step.way is Way.BUILD for step in running)
    chosen: list[Step] = []
    for step in steps:
        if step.needs or step.part.name in busy or len(chosen) == slots:
            continue
        if step.way is Way.BUILD:
            if builds == 0:
                continue
            builds -= 1
        chosen.append(step)
    return tuple(chosen)


def there(catalogue: Catalogue, cache: Cache, names: Collection[str], *, forced: Way | None) -> set[str]:
    """Which of the parts are there, whole, and got the way that is asked for."""
    whole = set()
    for name in names:
        part, key = catalogue.parts[name], catalogue.keys[name]
        record = cache.record(part, key)
        if record is None or cache.damage(part, key):
            continue
        if forced and record.way != forced and not (part.builder or part.assembled):
            continue
        whole.add(name)
    return whole - _missing_images(catalogue, cache, whole)


def _missing_images(catalogue: Catalogue, cache: Cache, names: Collection[str]) -> set[str]:
    images = {name: part.image for name in names if (part := catalogue.parts[name]).image is not None}
    ids = image_ids([pin.reference for pin in images.values() if pin]) or {}
    return {
        name
        for name, pin in images.items()
        if pin
        and ids.get(pin.reference) != recorded_id(cache.folder(catalogue.parts[name], catalogue.keys[name]))
    }


def impossible_builds(catalogue: Catalogue, platform: str) -> dict[str, dict[Way, str]]:
    """The builds that would fail in the end: ruled out before minutes are spent on what they need."""
    closed = {}
    for name, recipe in catalogue.recipes.items():
        foreign = not (catalogue.parts[name].assembled or platform.startswith("linux-"))
        reason = f"{name} is built on Linux only" if foreign else recipe.impossible()
        if reason:
            closed[name] = {Way.BUILD: reason}
    return closed


def addresses(catalogue: Catalogue, platform: str) -> frozenset[str]:
    """Every download address and image registry that this platform's parts name."""
    found: set[str] = set()
    for part in catalogue.parts.values():
        if platform in part.downloads:
            pinned = part.downloads[platform]
            found.update(address for address in (pinned.url, pinned.checksums) if address)
        if part.image and part.image.pull:
            found.add(registry_address(part.image.pull))
    return frozenset(found)


def _file_system_error(part: Part, cache: Cache, error: OSError) -> ToolchainError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        free_mb = free_bytes(cache.root) / 1_000_000
        return ToolchainError(
            f"{part.name}: no disk space left for it ({free_mb:.0f} MB free at {cache.root})",
            hint="free some, or point LOADPROOF_CACHE at a larger disk; what is finished is kept",
        )
    return ToolchainError(
        f"{part.name}: {error}", hint=f"check that {cache.root} can be written, or set LOADPROOF_CACHE"
    )
