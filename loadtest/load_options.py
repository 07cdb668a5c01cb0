"""The settings of a load, flat as the stack's config and the flags state them, and the plan they make.

A stack exports every setting; a flag overrides one. Leaves out which engine can carry out which plan.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from loadtest.errors import UsageError
from loadtest.plan import (
    PROFILES,
    REQUESTS_MOST,
    Arrivals,
    ConstantRate,
    LoadPlan,
    Profile,
    RampingRate,
    Script,
    Stage,
)

# None stands for a flag that was not given.
Flags = Mapping[str, Any]

_FOR_EVERY_PROFILE = frozenset(
    {
        *("engine", "profile", "timeout_s", "warm_up_retries", "seed"),
        *("worker_processes", "locust_workers", "locust_web_port"),
    }
)


@dataclass(frozen=True, kw_only=True)
class LoadOptions:
    """Each field is explained in Pulumi.yaml as `load_` and its name; the defaults are the same."""

    engine: str = "builtin"
    profile: str = "closed"
    requests: int = 200
    concurrency: int = 20
    rate_rps: float = 100.0
    duration_s: float = 30.0
    stages: tuple[Stage, ...] = ()
    arrivals: Arrivals = Arrivals.EVEN
    max_connections: int = 0
    worker_processes: int = 1
    users: int = 100
    spawn_rate_per_s: float = 10.0
    wait_min_s: float = 0.0
    wait_max_s: float = 1.0
    script: str = ""
    locust_workers: int = 0
    locust_web_port: int = 0
    timeout_s: float = 10.0
    warm_up_retries: int = 2
    seed: int = 1

    def plan(self, flags: Flags | None = None) -> LoadPlan:
        """The plan these settings make with the flags in place. Raises UsageError with every problem."""
        given = {name: value for name, value in (flags or {}).items() if value is not None}
        options = replace(self, **given)
        own = {one.name for one in fields(self) if getattr(self, one.name) != one.default}
        # What the config says for its own profile is no contradiction where a flag chose another.
        meant = given.keys() if "profile" in given else given.keys() | own
        stated = given.keys() | own
        problems = [*options._problems(), *options._contradictions(meant), *options._unheard(stated)]
        profile = None if problems else options._shape(stated)
        if profile is None or profile.planned_requests == 0:
            raise UsageError(
                "the load cannot be carried out: " + ("; ".join(problems) or "it has not one request")
            )
        return LoadPlan(
            engine=options.engine,
            profile=profile,
            timeout_s=options.timeout_s,
            warm_up_retries=options.warm_up_retries,
            seed=options.seed,
            worker_processes=options.worker_processes,
            locust_workers=options.locust_workers,
            locust_web_port=options.locust_web_port,
        )

    def _shape(self, stated: Collection[str]) -> Profile:
        kind = PROFILES[self.profile]
        values = {name: getattr(self, name) for name in kind.__struct_fields__}
        if kind is Script:
            values = {name: value for name, value in values.items() if name in stated}
        return kind(**values)

    def _used(self) -> frozenset[str]:
        return _FOR_EVERY_PROFILE | {*PROFILES[self.profile].__struct_fields__}

    def _problems(self) -> Iterator[str]:
        if self.profile not in PROFILES:
            yield f"profile {self.profile!r} is unknown, choose from: {', '.join(PROFILES)}"
            return
        used = self._used()
        for name, (allowed, rule) in _RULES.items():
            if name in used and not allowed(getattr(self, name)):
                yield f"{name} is {_shown(getattr(self, name))}, it has to be {rule}"
        if self.profile == "users" and self.wait_max_s < self.wait_min_s:
            yield f"wait_max_s is {self.wait_max_s:g}, it may not be below wait_min_s, {self.wait_min_s:g}"

    def _contradictions(self, meant: Collection[str]) -> Iterator[str]:
        if self.profile not in PROFILES:
            return
        if unused := sorted(set(meant) - self._used()):
            used = ", ".join(PROFILES[self.profile].__struct_fields__)
            yield f"{', '.join(unused)}: not used by the profile {self.profile}, which goes by {used}"
        open_loop = PROFILES[self.profile] in (ConstantRate, RampingRate)
        if self.worker_processes > 1 and not (self.engine == "builtin" and open_loop):
            yield (
                "worker_processes is for the engine builtin with constant_rate or ramping_rate, "
                f"not for {self.engine} with {self.profile}"
            )
        if open_loop and 0 < self.max_connections < self.worker_processes:
            yield (
                f"max_connections is {self.max_connections}, "
                f"each of {self.worker_processes} worker_processes needs one"
            )
        if self.engine != "builtin" and open_loop and self.arrivals is not Arrivals.EVEN:
            yield f"arrivals is {self.arrivals}, the engine {self.engine} has even ones only"
        if self.engine != "locust" and (self.locust_workers or self.locust_web_port):
            yield f"locust_workers and locust_web_port are for the engine locust, not for {self.engine}"
        if self.engine == "k6" and self.profile == "script" and "spawn_rate_per_s" in meant:
            yield "spawn_rate_per_s: k6 has no such setting, a script's own stages say how its users come"
        if self.locust_workers and self.locust_web_port:
            yield "locust_web_port is for a locust on this machine, not for locust_workers in the cluster"

    def _unheard(self, stated: Collection[str]) -> Iterator[str]:
        """What reaches an engine and is passed over there."""
        of_k6 = self.engine == "k6" and self.profile == "script"
        if of_k6 and "users" in stated and "duration_s" not in stated:
            yield "users: k6 hears of a script's users together with duration_s alone, --duration says it"


def _between(lowest: float, highest: float) -> tuple[Callable[[float], bool], str]:
    return lambda value: lowest <= value <= highest, f"between {lowest} and {highest}"


def _above_0(highest: float) -> tuple[Callable[[float], bool], str]:
    return lambda value: 0 < value <= highest, f"above 0 and at most {highest}"


def _are_stages(stages: tuple[Stage, ...]) -> bool:
    return bool(stages) and all(
        0 <= stage.rate_rps <= _RATE_MAXIMUM_RPS and 0 <= stage.duration_s <= _DURATION_MAXIMUM_S
        for stage in stages
    )


_RATE_MAXIMUM_RPS = 1_000_000
_DURATION_MAXIMUM_S = 86_400
_RULES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "requests": _between(1, REQUESTS_MOST),
    "concurrency": _between(1, 10_000),
    "rate_rps": _between(0, _RATE_MAXIMUM_RPS),
    "duration_s": _above_0(_DURATION_MAXIMUM_S),
    "stages": (
        _are_stages,
        f"one RATE:SECONDS or more, of rates between 0 and {_RATE_MAXIMUM_RPS} and seconds between 0 "
        f"and {_DURATION_MAXIMUM_S}",
    ),
    "max_connections": _between(0, 10_000),
    "worker_processes": _between(1, 64),
    "users": _between(1, 100_000),
    "spawn_rate_per_s": _above_0(100_000),
    "wait_min_s": _between(0, 3_600),
    "wait_max_s": _between(0, 3_600),
    "script": (bool, "the path of a script"),
    "locust_workers": _between(0, 1_000),
    "locust_web_port": _between(0, 65_535),
    "timeout_s": _above_0(600),
    "warm_up_retries": (lambda value: value >= 0, "at least 0"),
}


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(f"{stage.rate_rps:g}:{stage.duration_s:g}" for stage in value) or "empty"
    return repr(value) if isinstance(value, str) else str(value)
