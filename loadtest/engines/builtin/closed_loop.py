"""The engine of this project: as many clients as the plan says, each sending its next request when free.

One process, one thread, one event loop. Before the window every host has to answer rightly and every client
sends one request that is no sample, so that all connections stand, through to the services, when the window
begins. Leaves out the HTTP of it (client, response) and what becomes of the samples.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from loadtest.engines.client import Client
from loadtest.engines.exchange import Exchange, Request, request_to
from loadtest.engines.held_signals import run_interruptible
from loadtest.engines.open_files import check_open_files
from loadtest.engines.warm_up import warm_up
from loadtest.load_run import Generator, LoadRun
from loadtest.plan import ClosedLoop, LoadPlan
from loadtest.sample import LoadWindow, Sample
from loadtest.schedule import host_order
from loadtest.target import TargetEnvironment


@dataclass(frozen=True, kw_only=True)
class BuiltinEngine:
    """An interrupt stops it at once: requests under way give no sample, all earlier ones gave theirs."""

    warm_up_pause_s: float = 0.5

    def check(self, plan: LoadPlan) -> None:
        concurrency = _closed(plan).concurrency
        check_open_files(concurrency, f"a concurrency of {concurrency}")

    def run(
        self,
        plan: LoadPlan,
        target: TargetEnvironment,
        on_sample: Callable[[Sample], None],
        on_window: Callable[[], None],
    ) -> LoadRun:
        return run_interruptible(self._run(plan, target, on_sample, on_window))

    async def _run(
        self,
        plan: LoadPlan,
        target: TargetEnvironment,
        on_sample: Callable[[Sample], None],
        on_window: Callable[[], None],
    ) -> LoadRun:
        requests = {app.host: request_to(app) for app in target.apps}
        order = host_order(list(requests), requests=_closed(plan).requests, seed=plan.seed)
        clients = _clients(plan, target)
        try:
            await warm_up(
                clients[0].exchange,
                requests.values(),
                retries=plan.warm_up_retries,
                pause_s=self.warm_up_pause_s,
            )
            await _open_connections(clients, list(requests.values()))
            on_window()
            cpu_before_s = time.thread_time()
            window = await _ClosedLoop(clients, map(requests.__getitem__, order), on_sample).run()
            cpu_s = time.thread_time() - cpu_before_s
        finally:
            for client in clients:
                client.close()
        opened = sum(client.connections_opened for client in clients)
        return LoadRun(
            window=window, generator=Generator(engine="builtin", cpu_s=cpu_s, connections_opened=opened)
        )


class _ClosedLoop:
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


def _closed(plan: LoadPlan) -> ClosedLoop:
    assert isinstance(plan.profile, ClosedLoop), "the one profile its row in the table names"
    return plan.profile


def _clients(plan: LoadPlan, target: TargetEnvironment) -> list[Client]:
    loop, profile = asyncio.get_running_loop(), _closed(plan)
    return [
        Client(loop=loop, address=target.ingress.address, port=target.ingress.port, timeout_s=plan.timeout_s)
        for _ in range(min(profile.concurrency, profile.requests))
    ]


async def _open_connections(clients: Sequence[Client], requests: Sequence[Request]) -> None:
    """What these requests get is not looked at: a service that fails now fails in the window as well."""
    await asyncio.gather(
        *(client.exchange(requests[number % len(requests)]) for number, client in enumerate(clients))
    )
