"""What becomes of locust's request events: whom a request was for, when it was, and why it failed."""

import json
import time
from types import SimpleNamespace as Thing
from typing import Any

import pytest
from requests import Request
from requests import exceptions as of_requests

from loadtest.engines.locust.runner.errors import error_class
from loadtest.engines.locust.runner.records import Clock, record

S = 1_000_000_000


def recorded(clock: Clock | None = None, **event: Any) -> list[Any]:
    """Of a request that began half a second ago."""
    whole = {
        "name": "named",
        "url": "http://127.0.0.1:8080/path",
        "start_time": time.time() - 0.5,
        "response_time": 20.25,
        "response_length": 4,
        "response": Thing(status_code=200, request=Thing(headers={}, url="")),
        "exception": None,
        "context": {},
    }
    fields: list[Any] = json.loads(record({**whole, **event}, clock or Clock()))
    return fields


HEADERS = {"Host": "foo.localhost"}
FAILED = of_requests.ConnectionError(request=Request("GET", "http://127.0.0.1/", headers=HEADERS).prepare())


@pytest.mark.parametrize(
    ("event", "host"),
    [
        ({"response": Thing(status_code=200, request=Thing(headers=HEADERS))}, "foo.localhost"),
        ({"response": Thing(status_code=0, request=Thing(headers={})), "exception": FAILED}, "foo.localhost"),
        ({"context": {"host": "bar.localhost"}}, "bar.localhost"),
        ({}, "127.0.0.1"),
        ({"url": "http://user:secret@elsewhere:81/"}, "elsewhere"),
        ({"url": None, "response": None}, "named"),
    ],
)
def test_a_request_is_for_the_host_it_names_else_for_its_address(event: dict[str, Any], host: str) -> None:
    assert host == recorded(**event)[0]


def test_times_are_unrounded_and_on_the_wall_clock() -> None:
    now_ns = time.time_ns()
    _, intended_ns, started_ns, latency_ns, *_ = recorded()
    assert started_ns == pytest.approx(now_ns - S // 2, abs=S // 20)
    assert intended_ns == started_ns, "a locustfile does not say when it meant to send"
    assert latency_ns == 20_250_000


def test_an_event_that_does_not_say_when_it_began_has_just_ended() -> None:
    now_ns = time.time_ns()
    _, _, started_ns, latency_ns, *_ = recorded(start_time=None)
    assert started_ns + latency_ns == pytest.approx(now_ns, abs=S // 20)


def test_a_planned_request_tells_when_it_was_meant_to_be_sent() -> None:
    intended_ns = time.perf_counter_ns() - S
    _, told_ns, started_ns, *_ = recorded(context={"intended_ns": intended_ns})
    assert started_ns - told_ns == pytest.approx(S // 2, abs=S // 20)


def test_no_request_begins_before_it_was_meant_to() -> None:
    later_ns = time.perf_counter_ns() + S
    _, told_ns, started_ns, *_ = recorded(context={"intended_ns": later_ns})
    assert told_ns == started_ns


def test_a_clock_that_agrees_with_another_goes_with_it_and_tells_how_far_it_was_off() -> None:
    clock = Clock()
    right_ns = clock.unix_ns(0) - 3 * S
    assert 3 * S == clock.agree(0, right_ns)
    assert right_ns + 7 == clock.unix_ns(7)
    assert 3 * S + 5 == clock.agree(0, right_ns - 5), "against what it was at first"


@pytest.mark.parametrize(
    ("exception", "status", "expected"),
    [
        (None, 404, None),
        (Exception("their own check"), 200, "wrong_body"),
        (Exception("their own check"), 404, "http_4xx"),
        (of_requests.HTTPError("503"), 503, "http_5xx"),
        (of_requests.ReadTimeout(), None, "timeout"),
        (of_requests.ChunkedEncodingError(), 200, "closed"),
        (of_requests.TooManyRedirects(), 302, "http_3xx"),
        (ConnectionRefusedError(), None, "connect"),
        (OSError(113, "No route to host"), None, "connect"),
        (ConnectionResetError(), None, "closed"),
        (Exception("no status came"), None, "protocol"),
    ],
)
def test_an_exception_is_told_by_its_class(
    exception: Exception | None, status: int | None, expected: str | None
) -> None:
    assert expected == error_class(exception, status)
