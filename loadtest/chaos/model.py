"""What is to go wrong during a load, what really did, and what clients saw of it: as values.

Moments of a plan and of a report are seconds of the load window. Leaves out how it is done (`executor`) and
how its effects are reckoned (`effects`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from loadtest.sample import ErrorClass

NODE_PREFIX = "node/"


class Action(StrEnum):
    KILL = "kill"  # of a pod every process, by SIGKILL, and the kubelet starts it again; of a node its power
    DELETE = "delete"  # a pod, by force and with no grace: another takes its place
    FREEZE = "freeze"  # nothing in it runs on, its connections stay
    DELAY = "delay"  # every packet for it arrives `delay_ms` later


@dataclass(frozen=True, kw_only=True)
class ChaosEvent:
    """`target` is `app/<name>` or `ingress` for one of their pods, or `node/<name>`, without the cluster's.

    A `duration_s` of None is for good, or as long as the load lasts.
    """

    at_s: float
    action: Action
    target: str
    duration_s: float | None = None
    delay_ms: float | None = None

    @property
    def for_good(self) -> bool:
        """Nothing is undone: of what was hit another takes the place, or it starts again by itself."""
        return self.action is Action.DELETE or (
            self.action is Action.KILL and not self.target.startswith(NODE_PREFIX)
        )


@dataclass(frozen=True, kw_only=True)
class Deed:
    """What became of an event, by this machine's clock; what did not happen is None.

    `problem` says in words what went otherwise than planned, None where nothing did.
    """

    event: ChaosEvent
    victim: str | None = None
    began_unix_ns: int | None = None
    done_unix_ns: int | None = None
    undone_unix_ns: int | None = None
    problem: str | None = None


@dataclass(frozen=True, kw_only=True)
class ChaosRecord:
    """What a run keeps of its chaos, for reports made again."""

    deeds: tuple[Deed, ...]


@dataclass(frozen=True, kw_only=True)
class Gap:
    """A span without a right answer."""

    began_s: float
    duration_s: float


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How fast right answers came to the requests of a span."""

    samples: int
    p50_ms: float
    p95_ms: float
    maximum_ms: float


@dataclass(frozen=True, kw_only=True)
class HostEffect:
    """What clients of one host saw of an event, up to the next one or the load's end.

    `in_flight` had been sent and not answered when it began. `errors` are of requests sent from then on.
    `recovered_after_s` is how long it took until none that was sent failed any more: 0 where none did, None
    where fewer than ten right answers show it. `before` is of the load before
    the first event, `during` of the `during_s` from this one on: until it was over and had recovered,
    and one second at least.
    """

    in_flight: int
    in_flight_failed: int
    requests: int
    errors: Mapping[ErrorClass, int]
    recovered_after_s: float | None
    longest_gap: Gap
    longest_gap_before: Gap | None
    during_s: float
    before: Pace | None
    during: Pace | None


@dataclass(frozen=True, kw_only=True)
class ChaosOutcome:
    """An event and its effects; `at_s` is when it really began, `took_s` how long it took to happen.

    `over_s` is when it was undone, None where it was for good. Of an event that did not happen, or not within
    the load's window, there are no effects: `problem` says why.
    """

    event: ChaosEvent
    victim: str | None
    at_s: float | None
    took_s: float | None
    over_s: float | None
    problem: str | None
    hosts: Mapping[str, HostEffect]
