"""One process's share of an open loop: every request is sent when it is due, whatever the answers do.

Connections are taken in turn, so that the load is spread as evenly over them as over time. Where none is free
another is opened, up to the limit; beyond that a request is dropped and counted, never sent late in silence.
"""

import asyncio
from array import array
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from time import perf_counter_ns

from loadtest.engines.builtin.alarm import alarm
from loadtest.engines.client import Client
from loadtest.engines.exchange import Exchange, Request


class Pool:
    """Clients that are free, and those there may be."""

    def __init__(self, make: Callable[[], Client], *, ready: int, most: int) -> None:
        self._make = make
        self._most = most
        self._clients = [make() for _ in range(ready)]
        self._free = deque(self._clients)

    @property
    def connections_opened(self) -> int:
        return sum(client.connections_opened for client in self._clients)

    async def open(self, requests: Sequence[Request]) -> None:
        """What these requests get is not looked at: a service that fails now fails in the window as well."""
        await asyncio.gather(
            *(
                client.exchange(requests[number % len(requests)])
                for number, client in enumerate(self._clients)
            )
        )

    def take(self) -> Client | None:
        if self._free:
            return self._free.popleft()
        if len(self._clients) == self._most:
            return None
        self._clients.append(self._make())
        return self._clients[-1]

    def give_back(self, client: Client) -> None:
        self._free.append(client)

    def close(self) -> None:
        for client in self._clients:
            client.close()


class Sender:
    """`on_done` gets each request's number in the share, and what became of it."""

    def __init__(
        self,
        pool: Pool,
        requests: Sequence[Request],
        intended_ns: "array[int]",
        host_numbers: "array[int]",
        on_done: Callable[[int, Exchange], None],
    ) -> None:
        self.dropped_requests = 0
        self._pool = pool
        self._requests = requests
        self._intended_ns = intended_ns
        self._host_numbers = host_numbers
        self._on_done = on_done
        self._next = self._open = 0
        self._window_start_ns = 0

    async def run(self, window_start_ns: int) -> None:
        """To the end of the last request."""
        loop = asyncio.get_running_loop()
        self._finished: asyncio.Future[None] = loop.create_future()
        self._window_start_ns = window_start_ns
        self._alarm = alarm(loop, self._send_due)
        try:
            self._send_due()
            await self._finished
        finally:
            self._alarm.close()

    def _send_due(self) -> None:
        while self._next < len(self._intended_ns):
            due_ns = self._window_start_ns + self._intended_ns[self._next]
            if due_ns > perf_counter_ns():
                self._alarm.set(due_ns)
                return
            self._send(self._next)
            self._next += 1
        self._alarm.close()
        self._finish_with_the_last()

    def _send(self, number: int) -> None:
        client = self._pool.take()
        if client is None:
            self.dropped_requests += 1
            return
        self._open += 1
        client.send(self._requests[self._host_numbers[number]], partial(self._done, client, number))

    def _done(self, client: Client, number: int, exchange: Exchange) -> None:
        self._open -= 1
        self._pool.give_back(client)
        self._on_done(number, exchange)
        self._finish_with_the_last()

    def _finish_with_the_last(self) -> None:
        if not self._open and self._next == len(self._intended_ns) and not self._finished.done():
            self._finished.set_result(None)
