"""From locust's request events to lines of text: one for each request, with times of the system's clock.

A line is a JSON array: host, intended start, actual start, latency, status, body bytes, error class; times in
nanoseconds, starts since 1970. Leaves out where the lines go (`output`).
"""

import json
from time import perf_counter_ns, time, time_ns
from typing import Any
from urllib.parse import urlsplit

from loadtest.engines.locust.runner.errors import error_class

_HOST_CHARACTERS = 255


class Clock:
    """The wall clock, read once: a step of it in the middle of a load does not reach the records."""

    def __init__(self) -> None:
        self._own_offset_ns = self._offset_ns = time_ns() - perf_counter_ns()

    def now_ns(self) -> int:
        return self.unix_ns(perf_counter_ns())

    def unix_ns(self, perf_ns: int) -> int:
        return perf_ns + self._offset_ns

    def agree(self, perf_ns: int, unix_ns: int) -> int:
        """Go with the clock that said `unix_ns` at `perf_ns`; tells how far ahead of it this one was."""
        self._offset_ns = unix_ns - perf_ns
        return self._own_offset_ns - self._offset_ns


def record(event: dict[str, Any], clock: Clock) -> str:
    """`event` is what a listener of locust's `request` event is called with."""
    context = event.get("context") or {}
    took_ns = int(event["response_time"] * 1e6)
    begun_s = event.get("start_time")  # a client of the user's own may leave it out
    age_ns = took_ns if begun_s is None else int((time() - begun_s) * 1e9)
    started_ns = perf_counter_ns() - age_ns
    response, exception = event.get("response"), event.get("exception")
    status = getattr(response, "status_code", None) or None
    return json.dumps(
        [
            context.get("host") or _host(event, exception, response),
            clock.unix_ns(min(context.get("intended_ns", started_ns), started_ns)),
            clock.unix_ns(started_ns),
            took_ns,
            status,
            event.get("response_length") or 0,
            error_class(exception, status),
        ],
        separators=(",", ":"),
    )


def _host(event: dict[str, Any], exception: BaseException | None, response: object) -> str:
    """Whom a locustfile's request was meant for: its Host header, else its address."""
    # Where nothing came back, the `requests` package keeps the request's headers with the exception alone.
    request = getattr(exception, "request", None) or getattr(response, "request", None)
    headers = getattr(request, "headers", None) or {}
    named = headers.get("Host") or urlsplit(str(event.get("url") or getattr(request, "url", "") or "")).netloc
    return str(named or event.get("name") or "").rpartition("@")[2].partition(":")[0][:_HOST_CHARACTERS]
