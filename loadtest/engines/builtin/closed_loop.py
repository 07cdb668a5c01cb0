"""The closed loop: as many clients as the plan says, each sending its next request when free.

One process, one thread, one event loop. Before the window every host has to answer rightly and every client
sends one request that is no sample, so that all connections stand, through to the services, when the window
begins. Leaves out the HTTP of it (client, response) and what becomes of the samples.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from loadtest.engines.builtin.gc_watch import watched_gc
from loadtest.engines.client import Client
from loadtest.engines.exchange import Exchange, Request, request_to
from loadtest.engines.warm_up import warm_up
from loadtest.load_run import Generator, LoadRun
from loadtest.plan import ClosedLoop, LoadPlan
from loadtest.sample import LoadWindow, Sample
from loadtest.schedule import host_order
from loadtest.target import TargetEnvironment


async def closed_loop(
    plan: LoadPlan,
    profile: ClosedLoop,
    target: TargetEnvironment,
    on_sample: Callable[[Sample], None],
    on_window: Callable[[], None],
    warm_up_pause_s: float,
) -> LoadRun:
    requests = {app.host: request_to(app) for app in target.apps}
    order = host_order(list(requests), requests=profile.requests, seed=plan.seed)
    clients = _clients(plan, profile, target)
    try:
        await warm_up(
            clients[0].exchange, requests.values(), retries=plan.warm_up_retries, pause_s=warm_up_pause_s
        )
        await _open_connections(clients, list(requests.values()))
        on_window()
        with watched_gc() as gc_watch:
            cpu_before_s = time.thread_time()
            window = await _Loop(clients, map(requests.__getitem__, order), on_sample).run()
            cpu_s = time.thread_time() - cpu_before_s
    finally:
        for client in clients:
            client.close()
    generator = Generator(
        engine="builtin",
        cpu_s=cpu_s,
        connections_opened=sum(client.connections_opened for client in clients),
        gc_pauses=gc_watch.pauses,
    )
    return LoadRun(window=window, generator=generator)


class _Loop:
    """The window itself: a client that is done takes the next request of the order until there is none."""

    def __init__(
        self, clients: Sequence[Client], order: Iterator[Request], on_sample: Callable[[Sample], None]
    ) -> None:
        self._clients = clients
        self._order = order
        self._on_sample = on_sample
        self._busy_clients = len(clients)
        self._finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._window_start_ns = self._last_end_ns = 0

    async def run(self) -> LoadWindow:
        started_unix_ns = time.time_ns()
        self._window_start_ns = time.perf_counter_ns()
        for client in self._clients:
            self._send_next(client, self._window_start_ns)
        await self._finished
        return LoadWindow(
            started_unix_ns=started_unix_ns,
            ended_unix_ns=started_unix_ns + self._last_end_ns - self._window_start_ns,
        )

    def _send_next(self, client: Client, free_ns: int) -> None:
        request = next(self._order, None)
        if request is not None:
            client.send(request, partial(self._done, client, request.host, free_ns))
            return
        self._busy_clients -= 1
        if self._busy_clients == 0:
            self._finished.set_result(None)

    def _done(self, client: Client, host: str, free_ns: int, exchange: Exchange) -> None:
        if self._finished.done():
            return
        self._last_end_ns = exchange.ended_ns
        try:
            self._on_sample(exchange.sample(host, intended_ns=free_ns, window_start_ns=self._window_start_ns))
        except Exception as error:  # raised from here it would end in the event loop's log
            self._finished.set_exception(error)
            return
        self._send_next(client, exchange.ended_ns)


def _clients(plan: LoadPlan, profile: ClosedLoop, target: TargetEnvironment) -> list[Client]:
    loop, ingress = asyncio.get_running_loop(), target.ingress
    return [
        Client(loop=loop, address=ingress.address, port=ingress.port, timeout_s=plan.timeout_s)
        for _ in range(min(profile.concurrency, profile.requests))
    ]


async def _open_connections(clients: Sequence[Client], requests: Sequence[Request]) -> None:
    """What these requests get is not looked at: a service that fails now fails in the window as well."""
    await asyncio.gather(
        *(client.exchange(requests[number % len(requests)]) for number, client in enumerate(clients))
    )
