"""What load to send, as one value: who sends it, in which shape, and how each request is treated.

Leaves out where a plan comes from and what makes it valid (`load_options`), and which host gets which request
(`schedule`).
"""

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import msgspec

# A load's order of hosts and its schedule of arrivals are made as a whole, at some forty bytes a request.
REQUESTS_MOST = 20_000_000


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A part of a ramp: within `duration_s` the rate goes evenly to `rate_rps`; at once where that is 0."""

    rate_rps: float
    duration_s: float


class Arrivals(StrEnum):
    """How the requests of an open loop lie within its rate."""

    EVEN = "even"  # each as far from the next as the rate says
    POISSON = "poisson"  # as those of many clients who know nothing of each other


# Structs and not dataclasses, for the tag that tells the shapes apart. A field is named as its setting is.
class ClosedLoop(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="closed"):
    """`concurrency` clients send `requests` requests in all, each the next as soon as it may."""

    requests: int
    concurrency: int

    @property
    def planned_requests(self) -> int:
        return self.requests


class ConstantRate(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="constant_rate"):
    """An open loop: `rate_rps` requests each second, however long the answers take.

    `max_connections` is how many may be under way, 0 for as many as come in two seconds and 2,000 at most.
    """

    rate_rps: float
    duration_s: float
    arrivals: Arrivals = Arrivals.EVEN
    max_connections: int = 0

    @property
    def stages(self) -> tuple[Stage, ...]:
        """As the ramp it is: one that stays level."""
        return (Stage(rate_rps=self.rate_rps, duration_s=self.duration_s),)

    @property
    def planned_requests(self) -> int:
        return _whole(self.rate_rps * self.duration_s)

    @property
    def planned_rps(self) -> float:
        return self.rate_rps


class RampingRate(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="ramping_rate"):
    """An open loop whose rate begins at `rate_rps` and goes through `stages`, one after the other."""

    rate_rps: float
    stages: tuple[Stage, ...]
    arrivals: Arrivals = Arrivals.EVEN
    max_connections: int = 0

    @property
    def planned_requests(self) -> int:
        rates_rps = (self.rate_rps, *(stage.rate_rps for stage in self.stages))
        halves = ((before + after) / 2 for before, after in pairwise(rates_rps))
        return _whole(sum(rate * stage.duration_s for rate, stage in zip(halves, self.stages, strict=True)))

    @property
    def duration_s(self) -> float:
        return sum(stage.duration_s for stage in self.stages)

    @property
    def planned_rps(self) -> float:
        """On average; there is no load where there is no time."""
        return self.planned_requests / self.duration_s


class Users(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="users"):
    """Users come at `spawn_rate_per_s` until there are `users`; each waits between its requests."""

    users: int
    spawn_rate_per_s: float
    wait_min_s: float
    wait_max_s: float
    duration_s: float  # in all, the users' coming included

    @property
    def planned_requests(self) -> None:
        return None


class Script(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="script"):
    """What to send is up to a script in its engine's own language.

    None was not asked for: then the script decides, and where it says nothing, its engine.
    """

    script: str  # a path
    users: int | None = None
    spawn_rate_per_s: float | None = None
    duration_s: float | None = None

    @property
    def planned_requests(self) -> None:
        return None


Profile = ClosedLoop | ConstantRate | RampingRate | Users | Script
ProfileKind = type[ClosedLoop] | type[ConstantRate] | type[RampingRate] | type[Users] | type[Script]
PROFILES: dict[str, ProfileKind] = {
    str(kind.__struct_config__.tag): kind for kind in (ClosedLoop, ConstantRate, RampingRate, Users, Script)
}


@dataclass(frozen=True, kw_only=True)
class LoadPlan:
    """`profile` is the shape of the load; `planned_requests` of it is None where only time is planned.

    `warm_up_retries` is how often a warm-up request of a host may fail before the run is given up; warm-up
    requests are never samples. `seed` fixes all that chance decides: same seed, same load. `worker_processes`
    share an open loop of the built-in engine. What begins with `locust_` is for that engine alone: workers in
    the cluster, and a port for its web page (0: none).
    """

    engine: str
    profile: Profile
    timeout_s: float
    warm_up_retries: int
    seed: int
    worker_processes: int = 1
    locust_workers: int = 0
    locust_web_port: int = 0


def _whole(requests: float) -> int:
    """Those that fit into the time; what float arithmetic takes from a whole number is given back."""
    return int(requests + 1e-6)
