"""One record per request: the backbone every figure is computed from, written before any statistic.

Times are nanoseconds since the start of the load window, from a monotonic clock; `LoadWindow` ties them to
the wall clock. Leaves out how samples are made (engines), kept (sample_store) and summed up (stats).
"""

from dataclasses import dataclass
from enum import StrEnum

import msgspec


class Arm(StrEnum):
    """Which version a request went to: a plain run has HEAD alone, a comparison all three."""

    HEAD = "head"
    BASE = "base"
    CONTROL = "control"


class ErrorClass(StrEnum):
    """Why a request does not count as answered. One request has at most one, the first that applies."""

    TIMEOUT = "timeout"  # no whole answer within the plan's time-out
    CONNECT = "connect"  # no connection: refused, unreachable
    CLOSED = "closed"  # the connection ended before the answer was whole
    PROTOCOL = "protocol"  # what came is not HTTP, or is more than was asked for
    HTTP_3XX = "http_3xx"
    HTTP_4XX = "http_4xx"
    HTTP_5XX = "http_5xx"
    WRONG_BODY = "wrong_body"  # a 2xx answer that is not the asked host's


# A struct, which is made in a tenth of a dataclass's time: others wait to be sent meanwhile.
class Sample(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One request. `latency_ns` runs from the actual start to the last byte, or to the failure.

    In a closed loop the intended start is the moment the client became free; a connection that has to be
    opened first is part of the latency. `connect_ns` and `first_byte_ns` split it: None where the engine
    cannot tell, or where the request failed before there was anything to tell.
    """

    arm: Arm
    round: int  # from 1
    host: str
    intended_start_ns: int
    actual_start_ns: int
    latency_ns: int
    status: int | None  # None where no status line came
    body_bytes: int
    error: ErrorClass | None  # None: answered rightly
    connect_ns: int | None = None  # of the latency, the part that opened a connection; 0: one was open
    first_byte_ns: int | None = None  # from the actual start to the first byte of the answer


@dataclass(frozen=True, kw_only=True)
class LoadWindow:
    """The span of the load on the wall clock: from the first intended start to the last answer."""

    started_unix_ns: int
    ended_unix_ns: int

    @property
    def duration_s(self) -> float:
        return (self.ended_unix_ns - self.started_unix_ns) / 1e9
