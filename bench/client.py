"""The load client beside general HTTP clients: the reason why this project has its own.

Closed loop over the same number of connections, against a small server on a loopback port or, with `--port`,
against whatever answers `foo` there (an nginx, say). Clients take turns, each run in a process of its own.
Leaves out open loops and other load tools.
"""

import argparse
import asyncio
import socket
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from typing import cast

import aiohttp
import httpx
import uvloop

from loadtest.engines.builtin import BuiltinEngine
from loadtest.load_options import LoadOptions
from loadtest.sample import Sample
from loadtest.stats.percentiles import nearest_rank
from tests.integration.engines.targets import target_at

_HOST = "foo.localhost"
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nfoo\n"
_SPAWN = get_context("spawn")


@dataclass(frozen=True, kw_only=True)
class Load:
    port: int
    requests: int
    connections: int


@dataclass(frozen=True, kw_only=True)
class Result:
    rate_rps: float
    cpu_us: float  # of the client, per request
    p50_ms: float
    p99_ms: float


def builtin(load: Load) -> Result:
    samples: list[Sample] = []
    plan = LoadOptions(requests=load.requests, concurrency=load.connections).plan()
    load_run = BuiltinEngine().run(plan, target_at(load.port, {_HOST: b"foo"}), samples.append)
    if any(sample.error for sample in samples):
        raise RuntimeError("the server did not answer every request rightly")
    return _result(
        [sample.latency_ns for sample in samples], load_run.window.duration_s, load_run.generator.cpu_s
    )


def aiohttp_client(load: Load) -> Result:
    async def run() -> Result:
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=load.connections), headers={"Host": _HOST}
        ) as session:

            async def send() -> None:
                async with session.get(f"http://127.0.0.1:{load.port}/") as answer:
                    _check(await answer.read())

            return await _closed_loop(send, load)

    return uvloop.run(run())


def httpx_client(load: Load) -> Result:
    async def run() -> Result:
        limits = httpx.Limits(max_connections=load.connections, max_keepalive_connections=load.connections)
        async with httpx.AsyncClient(limits=limits, headers={"Host": _HOST}, trust_env=False) as client:

            async def send() -> None:
                _check((await client.get(f"http://127.0.0.1:{load.port}/")).content)

            return await _closed_loop(send, load)

    return uvloop.run(run())


# How many of the requests each sends: the slow ones would take minutes.
_CLIENTS: dict[str, tuple[Callable[[Load], Result], float]] = {
    "loadproof": (builtin, 1.0),
    "aiohttp": (aiohttp_client, 0.5),
    "httpx": (httpx_client, 0.05),
}


async def _closed_loop(send: Callable[[], Awaitable[None]], load: Load) -> Result:
    await asyncio.gather(*(send() for _ in range(load.connections)))
    latencies_ns: list[int] = []
    todo = iter(range(load.requests))

    async def client() -> None:
        for _ in todo:
            sent_ns = time.perf_counter_ns()
            await send()
            latencies_ns.append(time.perf_counter_ns() - sent_ns)

    started_s, cpu_started_s = time.perf_counter(), time.thread_time()
    await asyncio.gather(*(client() for _ in range(load.connections)))
    return _result(latencies_ns, time.perf_counter() - started_s, time.thread_time() - cpu_started_s)


def _result(latencies_ns: Sequence[int], duration_s: float, cpu_s: float) -> Result:
    ordered_ns = sorted(latencies_ns)
    return Result(
        rate_rps=len(ordered_ns) / duration_s,
        cpu_us=cpu_s / len(ordered_ns) * 1e6,
        p50_ms=nearest_rank(ordered_ns, 50) / 1e6,
        p99_ms=nearest_rank(ordered_ns, 99) / 1e6,
    )


def _check(body: bytes) -> None:
    if body.strip() != b"foo":
        raise RuntimeError("the server did not answer every request rightly")


class _Server(asyncio.Protocol):
    """Answers whatever comes, as requests come one by one; knows no HTTP beyond that."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._transport.write(_ANSWER)


def _serve(listener: socket.socket) -> None:
    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(_Server, sock=listener)
        await server.serve_forever()

    uvloop.run(run())


@contextmanager
def _server() -> Iterator[int]:
    """A server in a process of its own; the value is its port."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        process = _SPAWN.Process(target=_serve, args=(listener,), daemon=True)
        process.start()
        port: int = listener.getsockname()[1]
    try:
        yield port
    finally:
        process.terminate()
        process.join()


def _alone(client: Callable[[Load], Result], load: Load) -> Result:
    with _SPAWN.Pool(1) as pool:
        return pool.apply(client, (load,))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.client", description=__doc__)
    parser.add_argument("--port", type=int, help="a server on 127.0.0.1 that answers foo [one of its own]")
    parser.add_argument("--requests", type=int, default=40_000, help="[%(default)s]")
    parser.add_argument("--connections", type=int, default=20, help="[%(default)s]")
    parser.add_argument("--rounds", type=int, default=3, help="how often each has its turn [%(default)s]")
    options = parser.parse_args()
    results: dict[str, list[Result]] = {name: [] for name in _CLIENTS}
    with _server() as own_port:
        for _ in range(options.rounds):
            for name, (client, share) in _CLIENTS.items():
                load = Load(
                    port=options.port or own_port,
                    requests=int(options.requests * share),
                    connections=options.connections,
                )
                results[name].append(_alone(client, load))
    print(f"{options.connections} connections, closed loop, median of {options.rounds}")
    print(f"{'client':<10} {'req/s':>9} {'CPU us/req':>11} {'p50 ms':>8} {'p99 ms':>8}")
    for name, runs in results.items():
        rate, cpu, p50, p99 = (
            statistics.median(getattr(run, figure) for run in runs)
            for figure in ("rate_rps", "cpu_us", "p50_ms", "p99_ms")
        )
        print(f"{name:<10} {rate:>9,.0f} {cpu:>11.1f} {p50:>8.3f} {p99:>8.3f}")


if __name__ == "__main__":
    main()
