"""How many connections an open loop holds: enough to begin with, and a limit to what may be under way.

What is due and finds none free is dropped, and told: a request is never silently late.
"""

from dataclasses import dataclass
from math import ceil

from loadtest.plan import ConstantRate, RampingRate

# Connections there are from the start, and those that may come where answers are slow: by the seconds that as
# many requests take to arrive.
_READY_S, _MOST_S = 0.1, 2.0
_READY_LEAST, _MOST = 10, 2_000


@dataclass(frozen=True, kw_only=True)
class Connections:
    """`ready` of them stand before the window begins."""

    ready: int
    most: int


def connections_of(profile: ConstantRate | RampingRate, *, timeout_s: float) -> Connections:
    peak_rps = max(profile.rate_rps, *(stage.rate_rps for stage in profile.stages))
    ready = max(_READY_LEAST, ceil(peak_rps * _READY_S))
    by_rate = min(_MOST, max(ready, ceil(peak_rps * min(timeout_s, _MOST_S))))
    most = profile.max_connections or by_rate
    return Connections(ready=min(ready, most), most=most)
