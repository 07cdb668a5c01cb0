"""What is still to be got, and which way is tried next for each: a pure function, asked after every step.

Nothing is fetched or looked at here. A way that turned out not to lead to its part is ruled out by the
caller, and the next plan takes the next one, with whatever that needs in turn.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from toolchain.catalogue import Catalogue
from toolchain.errors import ToolchainError
from toolchain.pins import Kind, Part
from toolchain.sources import Way


@dataclass(frozen=True, kw_only=True)
class Step:
    """One part to get, by one way, once what it needs is there."""

    part: Part
    way: Way
    needs: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What is known so far: which parts are there, and which ways to the others are closed, and why."""

    there: Collection[str]
    closed: Mapping[str, Mapping[Way, str]] = field(default_factory=dict)
    forced: Way | None = None
    platform: str


def plan(catalogue: Catalogue, goals: Collection[str], situation: Situation) -> tuple[Step, ...]:
    """The steps to the goals, what others need first; empty when every goal is there."""
    steps: dict[str, Step] = {}

    def add(name: str) -> None:
        if name in situation.there or name in steps:
            return
        part = catalogue.parts[name]
        way = _next_way(catalogue, part, situation)
        needs = catalogue.recipes[name].needs if way is Way.BUILD else ()
        for needed in needs:
            add(needed)
        steps[name] = Step(part=part, way=way, needs=tuple(n for n in needs if n not in situation.there))

    for goal in goals:
        add(goal)
    return tuple(steps.values())


def _next_way(catalogue: Catalogue, part: Part, situation: Situation) -> Way:
    closed = situation.closed.get(part.name, {})
    ways = ways_to(catalogue, part, situation)
    open_ways = [way for way in ways if way not in closed]
    if open_ways:
        return open_ways[0]
    tried = [f"{way.value}: {closed[way]}" for way in ways]
    reasons = "".join(f"\n    {line}" for line in tried or ["there is no such way to it"])
    raise ToolchainError(
        f"{part.name} {part.version} cannot be got on {situation.platform}{reasons}",
        hint=_remedy(part, situation),
    )


def ways_to(catalogue: Catalogue, part: Part, situation: Situation) -> tuple[Way, ...]:
    """The ways that exist for a part on this platform, in the order they are tried."""
    if part.assembled:
        return (Way.BUILD,)
    exists = {
        Way.FOUND: part.found is not None or part.kind is Kind.PLUGIN or _pulled(part),
        Way.DOWNLOAD: situation.platform in part.downloads or _pulled(part),
        Way.BUILD: part.name in catalogue.recipes,
    }
    ways = tuple(way for way in Way if exists[way])
    if situation.forced is None or part.builder:
        return ways
    return tuple(way for way in ways if way is situation.forced)


def _pulled(part: Part) -> bool:
    return part.image is not None and part.image.pull is not None


def _remedy(part: Part, situation: Situation) -> str:
    if situation.forced is Way.FOUND:
        return f"install {part.name} {part.version}, or leave out `--from found`"
    if situation.forced is Way.DOWNLOAD:
        return "check the network and proxy settings (HTTPS_PROXY), or leave out `--from download`"
    return (
        f"check the network and proxy settings (HTTPS_PROXY), or install {part.name} {part.version} yourself"
    )
