"""A server on a loopback port, in a process of its own: every answer is right, every delay known.

It reads requests as they come one by one and knows no HTTP beyond that: what it adds of its own is small.
"""

import asyncio
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import cast

import uvloop

HOST, BODY = "foo.localhost", b"foo"
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nfoo\n"
SPAWN = get_context("spawn")


@dataclass(frozen=True, kw_only=True)
class Delays:
    """Most answers take `usual_s`, chance makes the share `slow_ratio` of them take `slow_s`."""

    usual_s: float
    slow_s: float
    slow_ratio: float

    def __str__(self) -> str:
        rest = f", {self.slow_ratio:.0%} {self.slow_s * 1e3:g} ms" if self.slow_ratio else ""
        return f"{self.usual_s * 1e3:g} ms{rest}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Served:
    """What one answer took in truth, from the arrival of its request to its departure."""

    arrived_unix_ns: int
    took_ns: int


class Loopback:
    """The server as its users have it."""

    def __init__(self, port: int, pipe: Connection) -> None:
        self.port = port
        self._pipe = pipe

    def served(self) -> Sequence[Served]:
        """Since it was last asked."""
        self._pipe.send(None)
        return cast(Sequence[Served], self._pipe.recv())


@contextmanager
def loopback(delays: Delays | None = None) -> Iterator[Loopback]:
    """Without delays every answer is sent at once."""
    here, there = SPAWN.Pipe()
    process = SPAWN.Process(target=_serve, args=(there, delays), daemon=True)
    process.start()
    try:
        yield Loopback(here.recv(), here)
    finally:
        process.terminate()
        process.join()


class _Immediate(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._transport.write(_ANSWER)


class _Delayed(_Immediate):
    def __init__(self, delays: Delays, chance: random.Random, served: list[Served]) -> None:
        self._delays = delays
        self._chance = chance
        self._served = served

    def data_received(self, data: bytes) -> None:
        arrived_ns, arrived_unix_ns = time.perf_counter_ns(), time.time_ns()
        slow = self._chance.random() < self._delays.slow_ratio
        delay_s = self._delays.slow_s if slow else self._delays.usual_s
        asyncio.get_running_loop().call_later(delay_s, self._answer, arrived_ns, arrived_unix_ns)

    def _answer(self, arrived_ns: int, arrived_unix_ns: int) -> None:
        took_ns = time.perf_counter_ns() - arrived_ns
        self._transport.write(_ANSWER)
        self._served.append(Served(arrived_unix_ns=arrived_unix_ns, took_ns=took_ns))


def _serve(pipe: Connection, delays: Delays | None) -> None:
    served: list[Served] = []
    # For repeating a run, no secret depends on it.
    chance = random.Random(1)  # noqa: S311

    def protocol() -> asyncio.Protocol:
        return _Immediate() if delays is None else _Delayed(delays, chance, served)

    def tell() -> None:
        pipe.recv()
        pipe.send(tuple(served))
        served.clear()

    async def run() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(protocol, "127.0.0.1", 0, backlog=4096)
        loop.add_reader(pipe.fileno(), tell)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    # uvloop's timers move in steps of a millisecond: it serves only where nothing is timed.
    asyncio.run(run()) if delays else uvloop.run(run())
