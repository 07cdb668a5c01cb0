"""An open loop: its schedule is shared out to worker processes, their rows become samples, the sums are checked.

Leaves out how a worker sends (`sender`) and how they talk (`messages`).
"""

import asyncio
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass

import msgspec

from loadtest.engines.builtin import worker
from loadtest.engines.builtin.messages import (
    Ended,
    FromWorker,
    Job,
    Ready,
    Row,
    Rows,
    Start,
    framed,
    read_rows,
    receive,
)
from loadtest.engines.child import Child, own_environment
from loadtest.engines.connections import connections_of
from loadtest.engines.exchange import request_to
from loadtest.errors import InconclusiveError, MachineError
from loadtest.load_run import GcPauses, Generator, LoadRun
from loadtest.plan import ConstantRate, LoadPlan, RampingRate
from loadtest.sample import Arm, LoadWindow, Sample
from loadtest.schedule import Schedule, schedule
from loadtest.target import TargetEnvironment

# What it takes until the last worker has heard of the start.
_START_AHEAD_NS = 20_000_000
_READ_AHEAD_BYTES = 2**20


async def open_loop(
    plan: LoadPlan,
    profile: ConstantRate | RampingRate,
    target: TargetEnvironment,
    on_sample: Callable[[Sample], None],
    on_window: Callable[[], None],
) -> LoadRun:
    whole = schedule(profile, hosts=len(target.apps), seed=plan.seed)
    shares = [whole.share(number, of=plan.worker_processes) for number in range(plan.worker_processes)]
    with ExitStack() as running:
        workers = [running.enter_context(_worker(share)) for share in shares]
        for number, one in enumerate(workers):
            await one.take_up(_job(plan, profile, target, one.share, number))
        for one in workers:
            await one.ready()
        on_window()
        cpu_before_s = time.thread_time()
        window = _Window(target, on_sample)
        for one in workers:
            one.start(window.start_ns)
        ended = await _all_of([one.receive(window.take) for one in workers])
        cpu_s = time.thread_time() - cpu_before_s
    return LoadRun(window=window.load_window, generator=_generator(profile, ended, cpu_s))


async def _all_of(work: Sequence[Coroutine[Any, Any, Ended]]) -> list[Ended]:
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
    except ExceptionGroup as failures:  # the first to fail cancels the others
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]


def _job(
    plan: LoadPlan,
    profile: ConstantRate | RampingRate,
    target: TargetEnvironment,
    share: Schedule,
    number: int,
) -> Job:
    connections = connections_of(profile, timeout_s=plan.timeout_s)
    of = plan.worker_processes
    most = max(1, _part(connections.most, number, of))
    return Job(
        address=target.ingress.address,
        port=target.ingress.port,
        timeout_s=plan.timeout_s,
        ready_connections=min(most, max(1, _part(connections.ready, number, of))),
        most_connections=most,
        requests=tuple(request_to(app) for app in target.apps),
        intended_ns=share.intended_ns.tobytes(),
        host_numbers=share.host_numbers.tobytes(),
    )


def _part(whole: int, number: int, of: int) -> int:
    return whole // of + (number < whole % of)


class _Window:
    """Makes samples of rows; the window ends with the last answer."""

    def __init__(self, target: TargetEnvironment, on_sample: Callable[[Sample], None]) -> None:
        self._hosts = [app.host for app in target.apps]
        self._on_sample = on_sample
        self._started_unix_ns = time.time_ns() + _START_AHEAD_NS
        self.start_ns = self._last_end_ns = time.perf_counter_ns() + _START_AHEAD_NS

    @property
    def load_window(self) -> LoadWindow:
        ended_unix_ns = self._started_unix_ns + self._last_end_ns - self.start_ns
        return LoadWindow(started_unix_ns=self._started_unix_ns, ended_unix_ns=ended_unix_ns)

    def take(self, row: Row, *, intended_ns: int, host_number: int) -> None:
        self._last_end_ns = max(self._last_end_ns, row.ended_ns)
        self._on_sample(
            Sample(
                arm=Arm.HEAD,
                round=1,
                host=self._hosts[host_number],
                intended_start_ns=intended_ns,
                actual_start_ns=row.started_ns - self.start_ns,
                latency_ns=row.ended_ns - row.started_ns,
                status=row.status,
                body_bytes=row.body_bytes,
                error=row.error,
                connect_ns=row.connect_ns,
                first_byte_ns=row.first_byte_ns,
            )
        )


def _generator(profile: ConstantRate | RampingRate, ended: Sequence[Ended], own_cpu_s: float) -> Generator:
    return Generator(
        engine="builtin",
        cpu_s=sum(one.cpu_s for one in ended) + own_cpu_s,
        connections_opened=sum(one.connections_opened for one in ended),
        dropped_requests=sum(one.dropped_requests for one in ended),
        worker_processes=len(ended),
        busiest_worker_cpu_s=max(one.cpu_s for one in ended),
        planned_rps=profile.planned_rps,
        gc_pauses=GcPauses(
            count=sum(one.gc_pauses.count for one in ended),
            total_ms=sum(one.gc_pauses.total_ms for one in ended),
            longest_ms=max(one.gc_pauses.longest_ms for one in ended),
        ),
    )
