"""What is to go wrong during a load, what really did, and what clients saw of it: as values.

Moments of a plan and of a report are seconds of the load window. Leaves out how it is done (`executor`) and
how its effects are reckoned (`effects`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from loadtest.sample import ErrorClass


class Action(StrEnum):
    KILL = "kill"  # of a pod every process, by SIGKILL, and the kubelet starts it again; of a node its power
    DELETE = "delete"  # a pod, by force and with no grace: another takes its place
    FREEZE = "freeze"  # nothing in there runs on, and connections stay
    DELAY = "delay"  # every packet it sends leaves `delay_ms` later


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
    `recovered_after_s` is when the first of ten in a row was sent that were all answered rightly, with no
    failed one before it: 0 where none failed, None where that was not seen. `before` is of the load before
    the first event, `during` of the `during_s` from this one on: until it was over and requests were answered
    rightly again, and one second at least.
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

    `over_s` is when it was undone, None where it was for good. Of an event that did not happen within the
    load there are no effects.
    """

    event: ChaosEvent
    victim: str | None
    at_s: float | None
    took_s: float | None
    over_s: float | None
    problem: str | None
    hosts: Mapping[str, HostEffect]
