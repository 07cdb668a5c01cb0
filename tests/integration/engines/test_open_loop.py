"""What is the built-in open loop's own: nothing waits for answers, nothing is lost among its processes."""

import asyncio
import gc
import os
import signal
from collections import Counter
from itertools import pairwise
from pathlib import Path
from statistics import quantiles
from typing import Any

import psutil
import pytest

from loadtest.engines.builtin.engine import BuiltinEngine
from loadtest.engines.builtin.gc_watch import watched_gc
from loadtest.errors import MachineError, UsageError
from loadtest.load_options import LoadOptions
from loadtest.load_run import LoadRun
from loadtest.plan import Arrivals, LoadPlan
from loadtest.sample import ErrorClass, Sample
from loadtest.schedule import schedule
from tests.integration.engines.raw_server import Behaviour, Peer, raw_server
from tests.integration.engines.targets import target_at

BODIES = {"foo.localhost": b"foo\n", "bar.localhost": b"bar\n"}
LOAD = LoadOptions(profile="constant_rate", rate_rps=200, duration_s=0.5, timeout_s=2.0, warm_up_retries=0)


def run(plan: LoadPlan, behaviour: Behaviour) -> tuple[list[Sample], LoadRun]:
    samples: list[Sample] = []
    with raw_server(behaviour) as server:
        load_run = BuiltinEngine().run(plan, target_at(server.port, BODIES), samples.append, lambda: None)
    return samples, load_run


async def sound(peer: Peer) -> None:
    while (host := await peer.request()) is not None:
        await peer.answer(BODIES[host])


def slow_from(number: int, seconds: float) -> Behaviour:
    """That request of all, counted from 1, and those after it are answered late."""

    async def behaviour(peer: Peer) -> None:
        while (host := await peer.request()) is not None:
            if len(peer.server.requests) >= number:
                await asyncio.sleep(seconds)
            await peer.answer(BODIES[host])

    return behaviour


@pytest.mark.parametrize("processes", [1, 3])
@pytest.mark.parametrize("arrivals", Arrivals)
def test_requests_are_those_of_the_schedule(processes: int, arrivals: Arrivals) -> None:
    plan = LOAD.plan({"worker_processes": processes, "arrivals": arrivals})
    samples, load_run = run(plan, sound)
    expected = schedule(plan.profile, hosts=2, seed=plan.seed)  # type: ignore[arg-type]
    hosts = [*BODIES]
    assert sorted(
        (int(due_ns), hosts[number])
        for due_ns, number in zip(expected.intended_ns, expected.host_numbers, strict=True)
    ) == sorted((one.intended_start_ns, one.host) for one in samples)
    assert {None} == {one.error for one in samples}
    assert processes == load_run.generator.worker_processes


def test_requests_are_sent_when_they_are_due() -> None:
    samples, _ = run(LOAD.plan(), sound)
    late_ms = [(one.actual_start_ns - one.intended_start_ns) / 1e6 for one in samples]
    assert min(late_ms) >= 0
    # The lower quartile: what a busy machine adds to the others is not the engine's doing.
    assert quantiles(late_ms)[0] < 0.5


def test_slow_answers_hold_no_request_back() -> None:
    connections_at_first = 20
    samples, load_run = run(LOAD.plan(), slow_from(2 + connections_at_first + 1, 0.4))
    assert 100 == len(samples)
    assert max(one.actual_start_ns - one.intended_start_ns for one in samples) < 0.3 * 1e9
    assert min(one.latency_ns for one in samples) >= 0.39 * 1e9
    assert load_run.generator.connections_opened >= 0.4 * 200 > connections_at_first, "one for each under way"


@pytest.mark.parametrize("processes", [1, 2])
def test_what_is_due_beyond_the_connections_is_dropped_and_counted(processes: int) -> None:
    plan = LOAD.plan({"max_connections": 5, "timeout_s": 5.0, "worker_processes": processes})
    samples, load_run = run(plan, slow_from(2 + 5 + 1, 2.0))
    assert 5 == len(samples) == load_run.generator.connections_opened
    assert 95 == load_run.generator.dropped_requests
    assert max(one.actual_start_ns - one.intended_start_ns for one in samples) < 0.3 * 1e9


def test_connections_stand_before_the_window() -> None:
    samples, load_run = run(LOAD.plan(), sound)
    assert {0} == {one.connect_ns for one in samples}
    assert 20 == load_run.generator.connections_opened


def test_a_connection_that_is_opened_in_the_window_is_part_of_the_latency() -> None:
    async def closes(peer: Peer) -> None:
        while (host := await peer.request()) is not None:
            await peer.answer(BODIES[host], headers="Connection: close\r\n")

    samples, _ = run(LOAD.plan(), closes)
    opened = [one for one in samples if one.connect_ns]
    assert len(opened) > 50
    for one in opened:
        assert one.connect_ns is not None
        assert one.first_byte_ns is not None
        assert one.connect_ns < one.first_byte_ns <= one.latency_ns


def test_the_generator_tells_what_it_was_to_send_and_what_that_took() -> None:
    _, load_run = run(LOAD.plan({"worker_processes": 2}), sound)
    generator = load_run.generator
    assert 200 == generator.planned_rps
    assert generator.busiest_worker_cpu_s is not None
    assert 0 < generator.busiest_worker_cpu_s < generator.cpu_s < load_run.window.duration_s * 2
    assert generator.gc_pauses is not None


def test_a_worker_that_dies_is_an_error_that_says_how() -> None:
    plan = LOAD.plan({"duration_s": 60, "worker_processes": 2})

    def kill_one(_: Sample) -> None:
        [victim, *_others] = psutil.Process().children()
        os.kill(victim.pid, signal.SIGKILL)

    with (
        raw_server(sound) as server,
        pytest.raises(MachineError, match="ended too early, with exit code -9"),
    ):
        BuiltinEngine().run(plan, target_at(server.port, BODIES), kill_one, lambda: None)
    assert [] == psutil.Process().children()


def test_a_worker_that_falls_silent_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadtest.engines.builtin.worker_process._SILENCE_MOST_S", 0.7)
    plan = LOAD.plan({"duration_s": 60, "worker_processes": 2})

    def stop_one(_: Sample) -> None:
        [victim, *_others] = psutil.Process().children()
        victim.suspend()

    with raw_server(sound) as server, pytest.raises(MachineError, match=r"told nothing for 0\.7 s"):
        BuiltinEngine().run(plan, target_at(server.port, BODIES), stop_one, lambda: None)
    assert [] == psutil.Process().children()


def test_what_a_worker_says_last_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)  # where it finds no modules of this project
    monkeypatch.setattr("loadtest.engines.builtin.worker_process.own_modules", dict)
    with raw_server(sound) as server, pytest.raises(MachineError) as told:
        BuiltinEngine().run(LOAD.plan(), target_at(server.port, BODIES), lambda _: None, lambda: None)
    assert "exit code 1" in told.value.message
    assert "No module named" in told.value.hint


def test_arrivals_of_several_processes_do_not_bunch() -> None:
    samples, _ = run(LOAD.plan({"worker_processes": 2}), sound)
    gaps_ms = sorted(
        (after - before) / 1e6 for before, after in pairwise(sorted(one.actual_start_ns for one in samples))
    )
    assert 3 < gaps_ms[len(gaps_ms) // 2] < 7, "5 ms apart, give or take a busy machine"


def test_there_may_be_more_processes_than_requests() -> None:
    samples, _ = run(LOAD.plan({"rate_rps": 4, "worker_processes": 5}), sound)
    assert 2 == len(samples)


def test_more_than_can_be_scheduled_is_refused_before_the_load() -> None:
    with pytest.raises(UsageError, match="open loop of 86,400,000 requests is more than"):
        BuiltinEngine().check(LOAD.plan({"rate_rps": 1_000, "duration_s": 86_400}))


def test_collections_of_garbage_are_counted_with_their_time() -> None:
    with watched_gc() as watch:
        frozen = gc.get_freeze_count()
        gc.collect()
    gc.collect()
    assert 1 == watch.pauses.count
    assert 0 < watch.pauses.longest_ms == watch.pauses.total_ms
    assert gc.get_freeze_count() < frozen


def test_a_failing_service_is_told_request_by_request() -> None:
    async def fails(peer: Peer) -> None:
        while (host := await peer.request()) is not None:
            number = len(peer.server.requests) - 22
            await peer.answer(BODIES[host], status=503 if number > 0 and number % 4 == 0 else 200)

    samples, _ = run(LOAD.plan(), fails)
    assert {None: 75, ErrorClass.HTTP_5XX: 25} == Counter(one.error for one in samples)


def test_what_the_beginning_of_the_window_raises_ends_the_run() -> None:
    def refuse() -> None:
        raise MachineError("no edge")

    children: list[Any] = psutil.Process().children()
    with raw_server(sound) as server, pytest.raises(MachineError, match="no edge"):
        BuiltinEngine().run(LOAD.plan(), target_at(server.port, BODIES), lambda _: None, refuse)
    assert children == psutil.Process().children()
