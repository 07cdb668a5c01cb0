"""A client of the load: one request at a time over a connection that is kept open, timed to the nanosecond.

Written at the level of asyncio's protocols because a general HTTP client costs more time than the services
measured (bench/engines.py shows it). Never sends a request twice: a connection that ends under a request
is a fact about the service. Names are never resolved. Leaves out TLS, redirects, cookies and compression.
"""

import asyncio
from collections.abc import Callable
from time import perf_counter_ns
from typing import cast

from loadtest.engines.exchange import Exchange, Request
from loadtest.engines.response import Answer, ResponseReader
from loadtest.sample import ErrorClass


class Client:
    """Sends to one address, connecting where no connection is open; `timeout_s` is for a whole request."""

    def __init__(self, *, loop: asyncio.AbstractEventLoop, address: str, port: int, timeout_s: float) -> None:
        self.connections_opened = 0
        self._loop = loop
        self._address = address
        self._port = port
        self._timeout_ns = int(timeout_s * 1e9)
        self._link: _Link | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._on_done: Callable[[Exchange], None] | None = None
        self._started_ns = 0

    def send(self, request: Request, on_done: Callable[[Exchange], None]) -> None:
        """Send now; `on_done` is called from the event loop, never from here, and may send the next."""
        self._on_done = on_done
        self._started_ns = perf_counter_ns()
        if self._link is not None and self._link.usable:
            self._link.send(request)
        else:
            self._link = _Link(request, self._finish)
            self._connecting = self._loop.create_task(self._connect(self._link))
        if self._timer is None:
            self._watch()

    async def exchange(self, request: Request) -> Exchange:
        """`send` for those who have time to wait."""
        done: asyncio.Future[Exchange] = self._loop.create_future()
        self.send(request, done.set_result)
        return await done

    def close(self) -> None:
        """Drop everything at once; a request under way gets no answer any more."""
        self._on_done = None
        self._drop_link()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _finish(self, answer: Answer, ended_ns: int) -> None:
        self._hand_over(self._exchange(answer, ended_ns))

    def _exchange(self, answer: Answer, ended_ns: int) -> Exchange:
        link, started_ns = self._link, self._started_ns
        if link is None or not link.connected_ns:
            return Exchange(started_ns, ended_ns, answer)
        first_byte_ns = link.first_byte_ns - started_ns if link.first_byte_ns else None
        return Exchange(started_ns, ended_ns, answer, max(0, link.connected_ns - started_ns), first_byte_ns)

    def _hand_over(self, exchange: Exchange) -> None:
        on_done, self._on_done = self._on_done, None
        if on_done is not None:
            on_done(exchange)

    async def _connect(self, link: "_Link") -> None:
        try:
            await self._loop.create_connection(lambda: link, self._address, self._port)
        except OSError:
            self._link = None
            self._finish(Answer(None, 0, b"", ErrorClass.CONNECT), perf_counter_ns())
        else:
            self.connections_opened += 1

    def _watch(self) -> None:
        """One timer, set anew only when it fires: a request that ends in time pays nothing for it."""
        self._timer = None
        if self._on_done is None:
            return
        left_ns = self._started_ns + self._timeout_ns - perf_counter_ns()
        if left_ns > 0:
            self._timer = self._loop.call_later(left_ns / 1e9, self._watch)
        else:
            answer = self._link.given_up() if self._link is not None else None
            exchange = self._exchange(answer or Answer(None, 0, b"", ErrorClass.TIMEOUT), perf_counter_ns())
            self._drop_link()
            self._hand_over(exchange)

    def _drop_link(self) -> None:
        if self._connecting is not None:
            self._connecting.cancel()
            self._connecting = None
        if self._link is not None:
            self._link.abort()
            self._link = None


class _Link(asyncio.Protocol):
    """One TCP connection; its first request goes out as soon as it stands."""

    def __init__(self, first: Request, on_answer: Callable[[Answer, int], None]) -> None:
        self._on_answer = on_answer
        self._reader = ResponseReader()
        self._reader.expect(first.expected_body)
        self._first = first
        self._waiting = True
        self._transport: asyncio.Transport | None = None
        self.connected_ns = self.first_byte_ns = 0  # 0: not yet

    @property
    def usable(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def send(self, request: Request) -> None:
        assert self._transport is not None, "only the first request is handed over before the link stands"
        self._reader.expect(request.expected_body)
        self._waiting = True
        self.first_byte_ns = 0
        self._transport.write(request.head)

    def given_up(self) -> Answer:
        return self._reader.cut_short(ErrorClass.TIMEOUT)

    def abort(self) -> None:
        self._waiting = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.connected_ns = perf_counter_ns()
        if self._waiting:  # not given up meanwhile
            self._transport.write(self._first.head)

    def data_received(self, data: bytes) -> None:
        arrived_ns = perf_counter_ns()
        if not self._waiting:
            self.abort()  # nothing was asked for: what follows could not be told from an answer
            return
        self.first_byte_ns = self.first_byte_ns or arrived_ns
        if self._reader.feed(data):
            self._answered(self._reader.answer(), arrived_ns)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting:
            answer = self._reader.end() if exc is None else self._reader.cut_short(ErrorClass.CLOSED)
            self._answered(answer, perf_counter_ns())

    def _answered(self, answer: Answer, ended_ns: int) -> None:
        self._waiting = False
        if not self._reader.reusable:
            self.abort()
        self._on_answer(answer, ended_ns)
