"""An open loop: its schedule is shared out to worker processes, and what they measure becomes samples.

Leaves out how a worker sends (`sender`) and what it is to this process (`worker_process`).
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from typing import Any

from loadtest.engines.builtin.messages import Ended, Job
from loadtest.engines.builtin.worker_process import worker_process
from loadtest.engines.connections import connections_of
from loadtest.engines.exchange import Exchange, request_to
from loadtest.load_run import GcPauses, Generator, LoadRun
from loadtest.plan import ConstantRate, LoadPlan, RampingRate
from loadtest.sample import LoadWindow, Sample
from loadtest.schedule import Schedule, schedule
from loadtest.target import TargetEnvironment

# What it takes until the last worker has heard of the start.
_START_AHEAD_NS = 20_000_000


async def open_loop(
    plan: LoadPlan,
    profile: ConstantRate | RampingRate,
    target: TargetEnvironment,
    on_sample: Callable[[Sample], None],
    on_window: Callable[[], None],
) -> LoadRun:
    whole = schedule(profile, hosts=len(target.apps), seed=plan.seed)
    shares = [whole.share(number, of=plan.worker_processes) for number in range(plan.worker_processes)]
    async with AsyncExitStack() as running:
        workers = [await running.enter_async_context(worker_process(share)) for share in shares]
        for number, one in enumerate(workers):
            one.take_up(_job(plan, profile, target, one.share, number))
        for one in workers:
            await one.ready()
        on_window()
        cpu_before_s = time.thread_time()
        window = _Window(target, on_sample)
        for one in workers:
            one.start(window.start_ns)
        ended = await _all_of([one.samples(window.take) for one in workers])
        cpu_s = time.thread_time() - cpu_before_s
    return LoadRun(window=window.load_window, generator=generator_of(profile, ended, cpu_s))


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

    def take(self, exchange: Exchange, *, intended_ns: int, host_number: int) -> None:
        self._last_end_ns = max(self._last_end_ns, exchange.ended_ns)
        self._on_sample(
            exchange.sample(
                self._hosts[host_number],
                intended_ns=self.start_ns + intended_ns,
                window_start_ns=self.start_ns,
            )
        )


def generator_of(profile: ConstantRate | RampingRate, ended: Sequence[Ended], own_cpu_s: float) -> Generator:
    """What all processes say of themselves as one; `own_cpu_s` is what collecting their samples took."""
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
