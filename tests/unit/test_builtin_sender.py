"""Which connection a request of the built-in open loop goes over, with clients that are stand-ins."""

import asyncio
from array import array
from collections.abc import Callable
from time import perf_counter_ns
from typing import cast

import pytest

from loadtest.engines.builtin.sender import Pool, Sender
from loadtest.engines.client import Client
from loadtest.engines.exchange import Exchange, Request
from loadtest.engines.response import Answer

REQUEST = Request(host="foo", path="/", expected_body=b"foo", head=b"")
EXCHANGE = Exchange(
    started_ns=0, ended_ns=1, answer=Answer(status=200, body_bytes=3, body=b"foo", error=None)
)
EVERY_NS = 20_000_000


class Clients:
    """Makes clients that note their number with each request and answer `answers_after_s` later."""

    def __init__(self, answers_after_s: float) -> None:
        self.sent_over: list[int] = []
        self.made = 0
        self.answers_after_s = answers_after_s

    def make(self) -> Client:
        self.made += 1
        return cast("Client", _FakeClient(self, self.made - 1))


class _FakeClient:
    def __init__(self, clients: Clients, number: int) -> None:
        self._clients = clients
        self._number = number

    def send(self, request: Request, on_done: Callable[[Exchange], None]) -> None:
        self._clients.sent_over.append(self._number)
        asyncio.get_running_loop().call_later(self._clients.answers_after_s, on_done, EXCHANGE)


Sent = tuple[Clients, Sender, list[int]]


def send(requests: int, *, answers_after_s: float, ready: int, most: int) -> Sent:
    """So many requests, one every `EVERY_NS`; the last is the numbers of those answered."""
    clients, answered = Clients(answers_after_s), []
    sender = Sender(
        Pool(clients.make, ready=ready, most=most),
        (REQUEST,),
        array("q", (number * EVERY_NS for number in range(requests))),
        array("H", [0] * requests),
        lambda number, exchange: answered.append(number),
    )

    async def carried_out() -> None:
        async with asyncio.timeout(10):
            await sender.run(perf_counter_ns())

    asyncio.run(carried_out())
    return clients, sender, answered


def test_connections_are_taken_in_turn_though_the_first_is_free_again_each_time() -> None:
    clients, _, answered = send(7, answers_after_s=0.0, ready=3, most=3)
    assert [0, 1, 2, 0, 1, 2, 0] == clients.sent_over
    assert [0, 1, 2, 3, 4, 5, 6] == answered


@pytest.mark.parametrize(("most", "made", "dropped"), [(8, 6, 0), (3, 3, 3)])
def test_where_none_is_free_another_is_opened_up_to_the_limit_and_then_requests_are_dropped(
    most: int, made: int, dropped: int
) -> None:
    clients, sender, answered = send(6, answers_after_s=0.5, ready=1, most=most)
    assert (made, dropped) == (clients.made, sender.dropped_requests)
    assert list(range(made)) == clients.sent_over
    assert 6 - dropped == len(answered)
