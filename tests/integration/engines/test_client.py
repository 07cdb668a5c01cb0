"""The load's client against servers that answer rightly, wrongly, in pieces, too late or not at all."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Sequence

import pytest
import uvloop

from loadtest.engines.client import Client
from loadtest.engines.exchange import Exchange, Request
from loadtest.sample import ErrorClass
from tests.integration.engines.raw_server import Behaviour, Peer, raw_server

FOO = Request(host="foo", path="/", head=b"GET / HTTP/1.1\r\nHost: foo\r\n\r\n", expected_body=b"foo")
RIGHT = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nfoo"
TIMEOUT_S = 0.4
PATIENT_S = 20.0  # far beyond what a busy machine takes to answer


def exchanges(
    port: int, *, requests: int = 1, pause_s: float = 0.0, timeout_s: float = PATIENT_S
) -> tuple[list[Exchange], Client]:
    async def run() -> tuple[list[Exchange], Client]:
        loop = asyncio.get_running_loop()
        client = Client(loop=loop, address="127.0.0.1", port=port, timeout_s=timeout_s)
        found = []
        for _ in range(requests):
            found.append(await client.exchange(FOO))
            await asyncio.sleep(pause_s)
        client.close()
        return found, client

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run())


def says(
    *pieces: bytes, pause_s: float = 0.0, then: Callable[[Peer], Awaitable[None]] = Peer.hang
) -> Behaviour:
    """Every request of the connection is answered with these bytes, and then something happens."""

    async def behaviour(peer: Peer) -> None:
        while await peer.request() is not None:
            for piece in pieces:
                await peer.send(piece)
                await asyncio.sleep(pause_s)
            await then(peer)

    return behaviour


async def goes_on(_: Peer) -> None:
    pass


async def closes(peer: Peer) -> None:
    peer.close()


async def resets(peer: Peer) -> None:
    peer.reset()


def one_by_one(data: bytes) -> Sequence[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


def chunked(*chunks: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))


RIGHT_ANSWERS = {
    "with a length": says(RIGHT),
    "in pieces": says(*one_by_one(RIGHT), pause_s=0.001),
    "in chunks": says(chunked(b"f", b"oo")),
    "in chunks, in pieces": says(*one_by_one(chunked(b"f", b"oo")), pause_s=0.001),
    "until the connection ends": says(b"HTTP/1.1 200 OK\r\n\r\n", b"foo", then=closes),
    "announcing the end of the connection": says(
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nfoo", then=closes
    ),
    "of HTTP/1.0": says(b"HTTP/1.0 200 OK\r\n\r\nfoo", then=closes),
    "amid white space": says(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n\r\n foo\n"),
    "after an interim answer": says(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + RIGHT),
    "after an interim answer, in pieces": says(b"HTTP/1.1 100 Continue\r\n\r\n", RIGHT, pause_s=0.01),
    "of another 2xx status": says(b"HTTP/1.1 201 Created\r\nContent-Length: 3\r\n\r\nfoo"),
    "amid much white space": says(b"HTTP/1.1 200 OK\r\nContent-Length: 60003\r\n\r\nfoo" + b" " * 60_000),
}


@pytest.mark.parametrize("behaviour", RIGHT_ANSWERS.values(), ids=RIGHT_ANSWERS)
def test_a_right_answer_is_no_error(behaviour: Behaviour) -> None:
    with raw_server(behaviour) as server:
        [exchange], _ = exchanges(server.port)
    assert exchange.answer.error is None
    assert exchange.answer.status in (200, 201)
    assert exchange.answer.body.strip() == b"foo"


BODY_CUT = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nf"
FAULTS: dict[str, tuple[Behaviour, ErrorClass, int | None, int]] = {
    "hangs": (says(), ErrorClass.TIMEOUT, None, 0),
    "hangs in the head": (says(RIGHT[:20]), ErrorClass.TIMEOUT, None, 0),
    "hangs in the body": (says(BODY_CUT), ErrorClass.TIMEOUT, 200, 1),
    "drips": (says(*one_by_one(RIGHT), pause_s=0.05), ErrorClass.TIMEOUT, None, 0),
    "never ends": (says(b"HTTP/1.1 200 OK\r\n\r\nfoo"), ErrorClass.TIMEOUT, 200, 3),
    "closes without a word": (says(then=closes), ErrorClass.CLOSED, None, 0),
    "closes in the head": (says(RIGHT[:20], then=closes), ErrorClass.CLOSED, None, 0),
    "closes in the body": (says(BODY_CUT, then=closes), ErrorClass.CLOSED, 200, 1),
    "closes in a chunk": (says(chunked(b"foo")[:-5], then=closes), ErrorClass.CLOSED, 200, 3),
    "closes in an announced last body": (
        says(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nfoo", then=closes),
        ErrorClass.CLOSED,
        200,
        3,
    ),
    "closes after an interim answer": (
        says(b"HTTP/1.1 100 Continue\r\n\r\n", then=closes),
        ErrorClass.CLOSED,
        None,
        0,
    ),
    "resets": (says(then=resets), ErrorClass.CLOSED, None, 0),
    "resets in the body": (says(BODY_CUT, pause_s=0.02, then=resets), ErrorClass.CLOSED, 200, 1),
    "speaks no HTTP": (says(b"220 mail.example ESMTP\r\n"), ErrorClass.PROTOCOL, None, 0),
    "speaks binary": (says(bytes(range(256))), ErrorClass.PROTOCOL, None, 0),
    "says more than asked": (says(RIGHT + RIGHT), ErrorClass.PROTOCOL, 200, 3),
    "says more than it announced": (says(RIGHT + b"o"), ErrorClass.PROTOCOL, 200, 3),
    "breaks its chunks": (says(chunked(b"foo").replace(b"3", b"x")), ErrorClass.PROTOCOL, 200, 0),
    "changes the protocol": (
        says(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"),
        ErrorClass.PROTOCOL,
        101,
        0,
    ),
    "has no such status": (says(RIGHT.replace(b"200", b"700")), ErrorClass.PROTOCOL, 700, 0),
    "sends an endless head": (
        says(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000),
        ErrorClass.PROTOCOL,
        None,
        0,
    ),
    "redirects": (says(RIGHT.replace(b"200", b"302")), ErrorClass.HTTP_3XX, 302, 3),
    "has nothing new": (says(b"HTTP/1.1 304 Not Modified\r\n\r\n"), ErrorClass.HTTP_3XX, 304, 0),
    "finds nothing": (says(RIGHT.replace(b"200", b"404")), ErrorClass.HTTP_4XX, 404, 3),
    "fails": (says(RIGHT.replace(b"200", b"503")), ErrorClass.HTTP_5XX, 503, 3),
    "is another host": (says(RIGHT.replace(b"foo", b"bar")), ErrorClass.WRONG_BODY, 200, 3),
    "says nothing": (says(b"HTTP/1.1 204 No Content\r\n\r\n"), ErrorClass.WRONG_BODY, 204, 0),
    "says too little": (says(RIGHT.replace(b"3", b"2")[:-1]), ErrorClass.WRONG_BODY, 200, 2),
    "says more after the right body": (
        says(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nfoobar"),
        ErrorClass.WRONG_BODY,
        200,
        6,
    ),
    "resets in a body without a length": (
        says(b"HTTP/1.1 200 OK\r\n\r\nfoo", pause_s=0.02, then=resets),
        ErrorClass.CLOSED,
        200,
        3,
    ),
    "says far too much": (
        says(b"HTTP/1.1 200 OK\r\nContent-Length: 1000003\r\n\r\nfoo" + b" " * 1_000_000),
        ErrorClass.WRONG_BODY,
        200,
        1_000_003,
    ),
}


def patience_s(error: ErrorClass) -> float:
    return TIMEOUT_S if error is ErrorClass.TIMEOUT else PATIENT_S


@pytest.mark.parametrize(("behaviour", "error", "status", "body_bytes"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_by_its_class(
    behaviour: Behaviour, error: ErrorClass, status: int | None, body_bytes: int
) -> None:
    with raw_server(behaviour) as server:
        [exchange], _ = exchanges(server.port, timeout_s=patience_s(error))
        assert exchange.answer.error == error
        assert exchange.answer.status == status
        assert exchange.answer.body_bytes == body_bytes
        assert len(server.requests) == 1, "nothing is sent twice"


ANSWERED = {ErrorClass.WRONG_BODY, ErrorClass.HTTP_3XX, ErrorClass.HTTP_4XX, ErrorClass.HTTP_5XX}
BREAKING = [fault for fault, (_, error, _, _) in FAULTS.items() if error not in ANSWERED]


@pytest.mark.parametrize("fault", BREAKING)
def test_after_a_broken_connection_the_next_request_goes_over_a_new_one(fault: str) -> None:
    faulty, error, _, _ = FAULTS[fault]

    async def behaviour(peer: Peer) -> None:
        await (faulty if peer.server.connections == 1 else says(RIGHT, then=goes_on))(peer)

    with raw_server(behaviour) as server:
        found, client = exchanges(server.port, requests=3, timeout_s=patience_s(error))
    assert [exchange.answer.error for exchange in found] == [error, None, None]
    assert client.connections_opened == server.connections == 2


def test_a_connection_is_kept_over_answers_that_are_whole_and_wrong() -> None:
    answers = [
        RIGHT.replace(b"200", b"503"),
        RIGHT.replace(b"foo", b"bar"),
        b"HTTP/1.1 304 No\r\n\r\n",
        RIGHT,
    ]

    async def behaviour(peer: Peer) -> None:
        for answer in answers:
            await peer.request()
            await peer.send(answer)
        await peer.hang()

    with raw_server(behaviour) as server:
        found, client = exchanges(server.port, requests=4)
    expected = [ErrorClass.HTTP_5XX, ErrorClass.WRONG_BODY, ErrorClass.HTTP_3XX, None]
    assert [exchange.answer.error for exchange in found] == expected
    assert client.connections_opened == 1


async def answers_once(peer: Peer) -> None:
    await peer.request()
    await peer.send(RIGHT)


async def answers_once_and_babbles(peer: Peer) -> None:
    await answers_once(peer)
    await asyncio.sleep(0.01)
    await peer.send(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
    await peer.hang()


async def announces_the_end(peer: Peer) -> None:
    await peer.request()
    await peer.answer(b"foo", headers="Connection: close\r\n")
    await peer.hang()


@pytest.mark.parametrize("behaviour", [answers_once, answers_once_and_babbles, announces_the_end])
def test_a_connection_that_cannot_be_used_again_costs_no_request(behaviour: Behaviour) -> None:
    with raw_server(behaviour) as server:
        found, client = exchanges(server.port, requests=3, pause_s=0.05)
    assert [exchange.answer.error for exchange in found] == [None] * 3
    assert client.connections_opened == 3
    assert len(server.requests) == 3


def test_one_connection_carries_all_requests_of_a_client() -> None:
    with raw_server(says(RIGHT, then=goes_on)) as server:
        found, client = exchanges(server.port, requests=50)
    assert [exchange.answer.error for exchange in found] == [None] * 50
    assert client.connections_opened == server.connections == 1


def test_a_refused_connection_is_told_apart() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    [exchange], client = exchanges(port)
    assert exchange.answer == (None, 0, b"", ErrorClass.CONNECT)
    assert client.connections_opened == 0


def test_a_connection_that_is_never_accepted_is_a_time_out() -> None:
    with socket.socket() as deaf, socket.socket() as first, socket.socket() as second:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        for filling in (first, second):
            filling.setblocking(False)
            filling.connect_ex(deaf.getsockname())
        [exchange], _ = exchanges(deaf.getsockname()[1], timeout_s=TIMEOUT_S)
    assert exchange.answer.error is ErrorClass.TIMEOUT
    assert timed_out_in_time(exchange)


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if FAULTS[fault][1] is ErrorClass.TIMEOUT])
def test_a_time_out_is_for_the_whole_request_and_kept(fault: str) -> None:
    with raw_server(FAULTS[fault][0]) as server:
        [exchange], _ = exchanges(server.port, timeout_s=TIMEOUT_S)
    assert timed_out_in_time(exchange)


def test_a_later_request_has_its_whole_time() -> None:
    """The one timer of a client was set for an earlier request."""

    async def behaviour(peer: Peer) -> None:
        for _ in range(2):
            await peer.request()
            await asyncio.sleep(0.6 * TIMEOUT_S)
            await peer.send(RIGHT)
        await peer.request()
        await peer.hang()

    with raw_server(behaviour) as server:
        found, _ = exchanges(server.port, requests=3, timeout_s=TIMEOUT_S)
    assert [exchange.answer.error for exchange in found] == [None, None, ErrorClass.TIMEOUT]
    assert timed_out_in_time(found[-1])


def timed_out_in_time(exchange: Exchange) -> bool:
    return TIMEOUT_S <= latency_s(exchange) <= TIMEOUT_S + 0.2


def latency_s(exchange: Exchange) -> float:
    return (exchange.ended_ns - exchange.started_ns) / 1e9


@pytest.mark.parametrize("delay_s", [0.0, 0.02, 0.1])
def test_latency_is_what_the_server_took(delay_s: float) -> None:
    async def behaviour(peer: Peer) -> None:
        while await peer.request() is not None:
            until_s = time.perf_counter() + delay_s
            await asyncio.sleep(delay_s)
            while time.perf_counter() < until_s:
                pass  # the event loop's clock is coarser than what is tested
            await peer.send(RIGHT)

    with raw_server(behaviour) as server:
        found, _ = exchanges(server.port, requests=5)
    latencies_s = sorted(latency_s(exchange) for exchange in found)
    assert latencies_s[0] >= delay_s
    assert latencies_s[2] < delay_s + 0.02
