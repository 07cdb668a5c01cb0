"""The engine httpx: a closed loop by httpx.AsyncClient, as the first system's users know it.

One process, one event loop, one connection pool. It costs many times the CPU of the built-in engine per
request, so it measures itself sooner. Leaves out redirects and compression, as every engine here does.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from loadtest.engines.exchange import HEADERS, Exchange, Request, request_to
from loadtest.engines.held_signals import run_interruptible
from loadtest.engines.open_files import check_open_files
from loadtest.engines.response import Answer, answer_error, room_for
from loadtest.engines.warm_up import warm_up
from loadtest.load_run import Generator, LoadRun
from loadtest.plan import ClosedLoop, LoadPlan
from loadtest.sample import ErrorClass, LoadWindow, Sample
from loadtest.schedule import host_order
from loadtest.target import TargetEnvironment

# httpx has one class for everything that is not HTTP, an end that comes too early included.
_ENDED_EARLY = ("Server disconnected", "peer closed connection")


@dataclass(frozen=True, kw_only=True)
class HttpxEngine:
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
        profile = _closed(plan)
        requests = {app.host: request_to(app) for app in target.apps}
        return run_interruptible(self._run(plan, profile, target, requests, on_sample, on_window))

    async def _run(
        self,
        plan: LoadPlan,
        profile: ClosedLoop,
        target: TargetEnvironment,
        requests: Mapping[str, Request],
        on_sample: Callable[[Sample], None],
        on_window: Callable[[], None],
    ) -> LoadRun:
        clients = min(profile.concurrency, profile.requests)
        order = host_order(list(requests), requests=profile.requests, seed=plan.seed)
        async with _Pool(target, connections=clients, timeout_s=plan.timeout_s) as pool:
            await warm_up(
                pool.exchange, requests.values(), retries=plan.warm_up_retries, pause_s=self.warm_up_pause_s
            )
            await _open_connections(pool, clients, list(requests.values()))
            on_window()
            cpu_before_s = time.thread_time()
            window = await _closed_loop(pool, clients, map(requests.__getitem__, order), on_sample)
            cpu_s = time.thread_time() - cpu_before_s
        return LoadRun(
            window=window,
            generator=Generator(engine="httpx", cpu_s=cpu_s, connections_opened=pool.connections_opened),
        )


async def _open_connections(pool: "_Pool", clients: int, requests: Sequence[Request]) -> None:
    await asyncio.gather(*(pool.exchange(requests[number % len(requests)]) for number in range(clients)))


async def _closed_loop(
    pool: "_Pool", clients: int, order: Iterator[Request], on_sample: Callable[[Sample], None]
) -> LoadWindow:
    started_unix_ns, window_start_ns = time.time_ns(), time.perf_counter_ns()
    last_end_ns = window_start_ns
    refused = False  # the group cancels the others only a turn of the loop after a sample was refused

    async def client() -> None:
        nonlocal last_end_ns, refused
        free_ns = window_start_ns
        for request in order:
            exchange = await pool.exchange(request)
            if refused:
                return
            try:
                on_sample(exchange.sample(request.host, intended_ns=free_ns, window_start_ns=window_start_ns))
            except Exception:
                refused = True
                raise
            free_ns = last_end_ns = exchange.ended_ns

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(clients):
                group.create_task(client())
    except ExceptionGroup as failures:  # of the receiver of samples: the first to fail cancels the others
        raise failures.exceptions[0] from None
    return LoadWindow(
        started_unix_ns=started_unix_ns, ended_unix_ns=started_unix_ns + last_end_ns - window_start_ns
    )


class _Pool:
    """httpx.AsyncClient, asked for one exchange at a time by each client of the load."""

    def __init__(self, target: TargetEnvironment, *, connections: int, timeout_s: float) -> None:
        self.connections_opened = 0
        self._origin = f"http://{target.ingress.address}:{target.ingress.port}"
        self._timeout_s = timeout_s
        self._client = httpx.AsyncClient(
            headers={**HEADERS, "Accept-Encoding": "identity"},
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            timeout=None,  # noqa: S113 - httpx limits each wait by itself, `exchange` the whole request
            trust_env=False,
        )

    async def __aenter__(self) -> "_Pool":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def exchange(self, request: Request) -> Exchange:
        started_ns = time.perf_counter_ns()
        steps = _Steps()
        answer = await self._answer(request, steps)
        ended_ns = time.perf_counter_ns()
        self.connections_opened += steps.connected_ns is not None
        return Exchange(started_ns, ended_ns, answer, steps.connect_ns, steps.first_byte_ns(started_ns))

    async def _answer(self, request: Request, steps: "_Steps") -> Answer:
        status: int | None = None
        body, body_bytes = b"", 0
        try:
            async with asyncio.timeout(self._timeout_s), self._stream(request, steps) as response:
                status = response.status_code
                async for piece in response.aiter_raw():
                    body_bytes += len(piece)
                    body += piece[: room_for(body, request.expected_body)]
        except (httpx.HTTPError, TimeoutError) as error:
            return Answer(status, body_bytes, body, _error_class(error))
        wrong = answer_error(status, body, request.expected_body, body_bytes=body_bytes)
        return Answer(status, body_bytes, body, wrong)

    def _stream(self, request: Request, steps: "_Steps") -> Any:  # noqa: ANN401 - httpx names the type only in private
        return self._client.stream(
            "GET",
            self._origin + request.path,
            headers={"Host": request.host},
            extensions={"trace": steps.take},
        )


class _Steps:
    """When a request came how far. Of an answer httpx tells the end of its head, not its first byte."""

    def __init__(self) -> None:
        self.connected_ns: int | None = None
        self._connecting_ns = self._headed_ns = 0

    async def take(self, event: str, _: Mapping[str, object]) -> None:
        match event:
            case "connection.connect_tcp.started":
                self._connecting_ns = time.perf_counter_ns()
            case "connection.connect_tcp.complete":
                self.connected_ns = time.perf_counter_ns()
            case "http11.receive_response_headers.complete":
                self._headed_ns = time.perf_counter_ns()

    @property
    def connect_ns(self) -> int | None:
        """None where a connection was begun and never stood."""
        if self.connected_ns is not None:
            return self.connected_ns - self._connecting_ns
        return None if self._connecting_ns else 0

    def first_byte_ns(self, started_ns: int) -> int | None:
        return self._headed_ns - started_ns if self._headed_ns else None


def _error_class(error: Exception) -> ErrorClass:
    match error:
        case TimeoutError() | httpx.TimeoutException():
            return ErrorClass.TIMEOUT
        case httpx.ConnectError():
            return ErrorClass.CONNECT
        case httpx.NetworkError():
            return ErrorClass.CLOSED
        case httpx.RemoteProtocolError() if str(error).startswith(_ENDED_EARLY):
            return ErrorClass.CLOSED
        case _:
            return ErrorClass.PROTOCOL


def _closed(plan: LoadPlan) -> ClosedLoop:
    assert isinstance(plan.profile, ClosedLoop), "the one profile its row in the table names"
    return plan.profile
