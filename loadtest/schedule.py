"""When each request of a load is due and which host it goes to: pure and seeded, so that a run is repeatable.

In a closed loop the plan fixes only the order: a request is intended for the moment a client becomes free,
which the engine alone knows. Leaves out clients, connections and clocks.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from random import Random

import numpy as np
import numpy.typing as npt

from loadtest.plan import Arrivals, ConstantRate, RampingRate

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Schedule:
    """The requests of an open loop in the order they are due, counted from the window's first moment."""

    intended_ns: npt.NDArray[np.int64]
    host_numbers: npt.NDArray[np.uint16]  # places in the list of hosts

    def __len__(self) -> int:
        return len(self.intended_ns)

    def share(self, number: int, *, of: int) -> "Schedule":
        """What one of several processes sends: every so manieth request, so that none of them bunches."""
        return Schedule(intended_ns=self.intended_ns[number::of], host_numbers=self.host_numbers[number::of])


def schedule(profile: ConstantRate | RampingRate, *, hosts: int, seed: int) -> Schedule:
    """As many requests as planned; every host gets as many as any other, or one more."""
    chance = np.random.default_rng(seed % 2**64)
    ramp = _Ramp(profile)
    planned = profile.planned_requests
    due = np.arange(planned, dtype=np.float64)
    if profile.arrivals is Arrivals.POISSON:
        # What a Poisson process of this rate looks like when it is known to have had so many arrivals.
        due = np.sort(chance.random(planned)) * ramp.requests
    return Schedule(
        intended_ns=(ramp.reached_s(due) * 1e9).astype(np.int64),
        host_numbers=chance.permutation(np.arange(planned) % hosts).astype(np.uint16),
    )


class _Ramp:
    """A rate that changes evenly in each part: how many requests are due by when, the other way round."""

    def __init__(self, profile: ConstantRate | RampingRate) -> None:
        rates_rps = [profile.rate_rps, *(stage.rate_rps for stage in profile.stages)]
        parts = [
            (before, after, stage.duration_s)
            for (before, after), stage in zip(pairwise(rates_rps), profile.stages, strict=True)
            if stage.duration_s  # a step takes no time and has no requests
        ]
        self._rate_rps = _floats(before for before, _, _ in parts)
        self._gain_rps_per_s = _floats((after - before) / lasts_s for before, after, lasts_s in parts)
        self._starts_s = _sums(lasts_s for _, _, lasts_s in parts)[:-1]
        requests = _sums((before + after) / 2 * lasts_s for before, after, lasts_s in parts)
        self._requests_before, self.requests = requests[:-1], float(requests[-1])

    def reached_s(self, due: _Floats) -> _Floats:
        """When the integral of the rate is as large as each of these."""
        part = np.searchsorted(self._requests_before, due, side="right") - 1
        more, rate_rps = due - self._requests_before[part], self._rate_rps[part]
        # The quadratic equation's root in the form that loses nothing where the rate hardly changes.
        root = np.sqrt(np.maximum(rate_rps**2 + 2 * self._gain_rps_per_s[part] * more, 0.0))
        within_s = np.divide(2 * more, rate_rps + root, out=np.zeros_like(more), where=more > 0)
        return np.asarray(self._starts_s[part] + within_s)


def host_order(hosts: Sequence[str], *, requests: int, seed: int) -> list[str]:
    """The host of each request in the order of sending: shuffled, every host as often as any other.

    Where `requests` is no multiple of the hosts, chance decides which hosts get one more.
    """
    if not hosts:
        raise ValueError("a load needs at least one host")
    # S311: this is for repeating a run, no secret depends on it
    chance = Random(seed)  # noqa: S311
    shuffled_hosts = chance.sample(hosts, len(hosts))
    order = [shuffled_hosts[number % len(hosts)] for number in range(requests)]
    chance.shuffle(order)
    return order


def _floats(numbers: Iterable[float]) -> _Floats:
    return np.fromiter(numbers, np.float64)


def _sums(numbers: Iterable[float]) -> _Floats:
    """What came before each, and all of it."""
    return _floats(accumulate(numbers, initial=0.0))
