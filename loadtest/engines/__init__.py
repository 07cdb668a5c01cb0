"""Load engines: each sends a plan's load and hands over one sample per request."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from loadtest.engines.contract import Engine
from loadtest.errors import MachineError, UsageError
from loadtest.plan import (
    PROFILES,
    ClosedLoop,
    ConstantRate,
    LoadPlan,
    ProfileKind,
    RampingRate,
    Script,
    Users,
)


@dataclass(frozen=True, kw_only=True)
class EngineRow:
    """`profiles` are the shapes of load the engine can carry out; `program` is what it starts, if any."""

    make: Callable[[], Engine]
    profiles: frozenset[ProfileKind]
    program: str | None = None


def _builtin() -> Engine:
    from loadtest.engines.builtin.engine import BuiltinEngine

    return BuiltinEngine()


def _httpx() -> Engine:
    from loadtest.engines.httpx import HttpxEngine

    return HttpxEngine()


def _k6() -> Engine:
    from loadtest.engines.k6.engine import K6Engine

    return K6Engine()


def _locust() -> Engine:
    from loadtest.engines.locust.engine import LocustEngine

    return LocustEngine()


# An engine is imported only when it is made: naming the choices has to cost nothing.
ENGINES: Mapping[str, EngineRow] = {
    "builtin": EngineRow(make=_builtin, profiles=frozenset({ClosedLoop, ConstantRate, RampingRate})),
    "httpx": EngineRow(make=_httpx, profiles=frozenset({ClosedLoop})),
    "k6": EngineRow(
        make=_k6,
        profiles=frozenset({ClosedLoop, ConstantRate, RampingRate, Script}),
        program="k6",
    ),
    "locust": EngineRow(make=_locust, profiles=frozenset({Users, Script})),
}


def engine_for(plan: LoadPlan) -> Engine:
    """The engine of a plan.

    Raises UsageError where none can carry it out or its script is not there, MachineError where the engine's
    own program is not or the plan takes more than this machine allows.
    """
    row = ENGINES.get(plan.engine)
    if row is None:
        raise UsageError(f"engine {plan.engine!r} is unknown, choose from: {', '.join(ENGINES)}")
    if type(plan.profile) not in row.profiles:
        raise UsageError(
            f"engine {plan.engine} cannot carry out the profile {_name(type(plan.profile))}, "
            f"only {', '.join(name for name, kind in PROFILES.items() if kind in row.profiles)}",
            hint=f"The engines that can: {', '.join(_able(type(plan.profile))) or 'none'}.",
        )
    if isinstance(plan.profile, Script) and not Path(plan.profile.script).is_file():
        raise UsageError(f"there is no script {plan.profile.script}", hint="It is looked for from here.")
    if row.program is not None and not shutil.which(row.program):
        raise MachineError(
            f"the engine {plan.engine} needs the program {row.program!r}, which is not on this machine",
            hint=f"`python3 -m toolchain get {row.program}` gets it; then run through `make`, "
            "or `source .venv/bin/activate` first.",
        )
    engine = row.make()
    engine.check(plan)
    return engine


def _able(kind: ProfileKind) -> list[str]:
    return [name for name, row in ENGINES.items() if kind in row.profiles]


def _name(kind: ProfileKind) -> str:
    return next(name for name, one in PROFILES.items() if one is kind)
