"""A plan in k6's own terms, as values: what `load.js` reads, and the options it starts with. Pure.

A constant rate is a ramp that stays level: k6's executor for ramps starts exactly as many iterations as there
are to start, the one for constant rates may count one more, or one less, at the end.
"""

from typing import Any

from loadtest.engines.connections import Connections, connections_of
from loadtest.engines.exchange import HEADERS, Request
from loadtest.plan import ClosedLoop, ConstantRate, LoadPlan, RampingRate, Stage
from loadtest.schedule import host_order

LOAD_SCENARIO = "load"
WARM_UP_SCENARIO = "loadproof_warm_up"  # a name that no script of a user's has

# Every client asks once before the window. k6 takes no less than a second for it.
_WARM_UP_S, _WINDOW_AFTER_S = 1.0, 1.05
# k6 takes whole numbers of iterations: of so many seconds that no rate which is any use is rounded by it.
_RATE_UNIT_S = 1_000_000
# The order of hosts repeats after so many requests.
_ORDER_MOST = 10_000
# A ramp's end cuts off what is late: a part at rate 0 lets it through.
_LATE_S = 1.0


def clients_of(plan: LoadPlan) -> Connections:
    """k6's virtual users; each holds one connection."""
    match plan.profile:
        case ClosedLoop(requests=requests, concurrency=concurrency):
            clients = min(requests, concurrency)
            return Connections(ready=clients, most=clients)
        case ConstantRate() | RampingRate() as profile:
            return connections_of(profile, timeout_s=plan.timeout_s)
        case other:
            raise TypeError(f"k6 has no clients for {other}")


def load_of(plan: LoadPlan, requests: list[Request], address: str) -> dict[str, Any]:
    """What `load.js` reads."""
    planned = plan.profile.planned_requests or 0
    hosts = [request.host for request in requests]
    numbers = {host: number for number, host in enumerate(hosts)}
    length = min(planned, _ORDER_MOST - _ORDER_MOST % len(hosts))
    return {
        "scenarios": {WARM_UP_SCENARIO: _warm_up(plan), LOAD_SCENARIO: _load(plan)},
        "requests": [
            {
                "host": request.host,
                # Not the host: k6 keeps connections by the name in the address, and one has to do for all.
                "url": f"http://{address}{request.path}",
                "body": request.expected_body.decode("latin-1"),  # one character for each byte
            }
            for request in requests
        ],
        "order": [numbers[host] for host in host_order(hosts, requests=length, seed=plan.seed)],
        "headers": HEADERS,
        "timeout_ms": plan.timeout_s * 1_000,
    }


def _warm_up(plan: LoadPlan) -> dict[str, Any]:
    return {
        "executor": "per-vu-iterations",
        "exec": "warmUp",
        "vus": clients_of(plan).ready,
        "iterations": 1,
        "maxDuration": _duration(_WARM_UP_S),
        "gracefulStop": "0s",
    }


def _load(plan: LoadPlan) -> dict[str, Any]:
    common = {"startTime": _duration(_WINDOW_AFTER_S), "gracefulStop": _duration(plan.timeout_s + _LATE_S)}
    match plan.profile:
        case ClosedLoop(requests=requests):
            return common | {
                "executor": "shared-iterations",
                "vus": clients_of(plan).ready,
                "iterations": requests,
                "maxDuration": "24h",
            }
        case ConstantRate(rate_rps=rate_rps, stages=stages) | RampingRate(rate_rps=rate_rps, stages=stages):
            return common | _ramp(clients_of(plan), rate_rps, stages)
        case other:
            raise TypeError(f"k6 has no scenario for {other}")


def _ramp(clients: Connections, rate_rps: float, stages: tuple[Stage, ...]) -> dict[str, Any]:
    peak_rps = max(rate_rps, *(stage.rate_rps for stage in stages))
    last = stages[-1]
    # A hundredth of a request more, so that the last one is not lost to the rounding of numbers.
    extended = Stage(rate_rps=last.rate_rps, duration_s=last.duration_s + 0.01 / peak_rps)
    parts = (*stages[:-1], extended, Stage(rate_rps=0, duration_s=0), Stage(rate_rps=0, duration_s=_LATE_S))
    return {
        "executor": "ramping-arrival-rate",
        "startRate": _rate(rate_rps),
        "timeUnit": _duration(_RATE_UNIT_S),
        "stages": [
            {"target": _rate(part.rate_rps), "duration": _duration(part.duration_s)} for part in parts
        ],
        "preAllocatedVUs": clients.ready,
        "maxVUs": clients.most,
    }


def _rate(rate_rps: float) -> int:
    return round(rate_rps * _RATE_UNIT_S)


def _duration(seconds: float) -> str:
    return f"{round(seconds * 1e9)}ns"
