"""What every engine has to keep: each row of ENGINES is put through it against real loopback servers."""

import asyncio
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise

import pytest

from loadtest.engines import ENGINES
from loadtest.engines.contract import Engine
from loadtest.errors import MachineError, UnhealthyError, UsageError
from loadtest.load_options import LoadOptions
from loadtest.load_run import LoadRun
from loadtest.sample import Arm, ErrorClass, Sample
from loadtest.schedule import host_order
from loadtest.target import TargetEnvironment
from tests.integration.engines.raw_server import Behaviour, Peer, raw_server
from tests.integration.engines.targets import target_at

LOAD = LoadOptions(requests=60, concurrency=4, timeout_s=0.5, warm_up_retries=1, seed=7)
BODIES = {"foo.localhost": b"foo\n", "bar.localhost": b"bar\n"}


@pytest.fixture(params=["builtin", "httpx"])
def engine(request: pytest.FixtureRequest) -> Engine:
    return ENGINES[request.param].make()


def run(engine: Engine, load: LoadOptions, target: TargetEnvironment) -> tuple[list[Sample], LoadRun]:
    samples: list[Sample] = []
    load_run = engine.run(load.plan(), target, samples.append, lambda: None)
    return samples, load_run


async def sound(peer: Peer) -> None:
    while (host := await peer.request()) is not None:
        await peer.answer(BODIES[host])


def warm_up_requests(load: LoadOptions) -> int:
    """One right answer for each host, then one request over each connection."""
    return len(BODIES) + load.concurrency


def sound_until_the_window(
    load: LoadOptions, in_the_window: Callable[[Peer, str, int], Awaitable[None]]
) -> Behaviour:
    """`in_the_window` answers; it gets the host and how manieth request of the window it is, from 1."""

    async def behaviour(peer: Peer) -> None:
        while (host := await peer.request()) is not None:
            number = len(peer.server.requests) - warm_up_requests(load)
            if number < 1:
                await peer.answer(BODIES[host])
            else:
                await in_the_window(peer, host, number)

    return behaviour


def test_the_default_engine_is_one_of_those_there_are() -> None:
    assert LoadOptions().engine in ENGINES


def test_every_request_gives_one_sample_and_reaches_the_server_once(engine: Engine) -> None:
    with raw_server(sound) as server:
        samples, _ = run(engine, LOAD, target_at(server.port, BODIES))
    assert len(samples) == LOAD.requests
    assert len(server.requests) == LOAD.requests + warm_up_requests(LOAD)
    in_window = Counter(server.requests[warm_up_requests(LOAD) :])
    assert Counter(sample.host for sample in samples) == in_window == dict.fromkeys(BODIES, 30)
    assert {(sample.arm, sample.round) for sample in samples} == {(Arm.HEAD, 1)}
    assert {(sample.status, sample.body_bytes, sample.error) for sample in samples} == {(200, 4, None)}


def test_the_seed_fixes_the_order_of_hosts(engine: Engine) -> None:
    load = replace(LOAD, concurrency=1)
    orders = []
    for seed in (7, 7, 8):
        with raw_server(sound) as server:
            samples, _ = run(engine, replace(load, seed=seed), target_at(server.port, BODIES))
        order = server.requests[warm_up_requests(load) :]
        assert [sample.host for sample in samples] == order
        assert order == host_order(list(BODIES), requests=load.requests, seed=seed)
        orders.append(order)
    assert orders[0] == orders[1] != orders[2]


def test_connections_are_opened_before_the_window_and_used_to_the_end(engine: Engine) -> None:
    with raw_server(sound) as server:
        _, load_run = run(engine, LOAD, target_at(server.port, BODIES))
    assert load_run.generator.connections_opened == server.connections == LOAD.concurrency


def test_as_many_requests_are_under_way_as_there_are_clients(engine: Engine) -> None:
    under_way = most_under_way = 0

    async def slow(peer: Peer) -> None:
        nonlocal under_way, most_under_way
        while (host := await peer.request()) is not None:
            under_way += 1
            most_under_way = max(under_way, most_under_way)
            await asyncio.sleep(0.05)
            under_way -= 1
            await peer.answer(BODIES[host])

    with raw_server(slow) as server:
        samples, load_run = run(engine, replace(LOAD, requests=20), target_at(server.port, BODIES))
    assert most_under_way == LOAD.concurrency
    assert all(sample.latency_ns >= 49_000_000 for sample in samples), "less than what the server waited"
    assert 0.25 <= load_run.window.duration_s < 1.0, "20 requests of 50 ms by 4 clients"


def test_no_more_connections_than_requests_are_opened(engine: Engine) -> None:
    with raw_server(sound) as server:
        samples, load_run = run(
            engine, LoadOptions(requests=2, concurrency=9), target_at(server.port, BODIES)
        )
    assert len(samples) == 2
    assert load_run.generator.connections_opened == 2


def test_a_client_intends_its_next_request_for_when_it_became_free(engine: Engine) -> None:
    with raw_server(sound) as server:
        samples, load_run = run(engine, replace(LOAD, concurrency=1), target_at(server.port, BODIES))
    assert samples[0].intended_start_ns == 0
    for before, after in pairwise(samples):
        assert after.intended_start_ns == before.actual_start_ns + before.latency_ns
        assert after.actual_start_ns >= after.intended_start_ns
    last = samples[-1]
    window_ns = load_run.window.ended_unix_ns - load_run.window.started_unix_ns
    assert window_ns == last.actual_start_ns + last.latency_ns


def test_the_window_is_where_the_clock_says(engine: Engine) -> None:
    before_ns = time.time_ns()
    with raw_server(sound) as server:
        _, load_run = run(engine, LOAD, target_at(server.port, BODIES))
    assert before_ns < load_run.window.started_unix_ns < load_run.window.ended_unix_ns < time.time_ns()


def test_the_generator_tells_its_own_cpu_time(engine: Engine) -> None:
    with raw_server(sound) as server:
        _, load_run = run(engine, replace(LOAD, requests=500), target_at(server.port, BODIES))
    assert 0 < load_run.generator.cpu_s < load_run.window.duration_s


def test_failures_are_counted_exactly(engine: Engine) -> None:
    """Of ten requests in a row each gets another fault; the rest of the load is sound."""

    async def faulty(peer: Peer, host: str, number: int) -> None:
        body = BODIES[host]
        match number:
            case 1 | 2:
                await peer.answer(body, status=503)
            case 3:
                await peer.answer(body, status=404)
            case 4:
                await peer.answer(b"", status=301)
            case 5 | 6:
                await peer.answer(BODIES["bar.localhost" if host == "foo.localhost" else "foo.localhost"])
            case 7:
                await peer.hang()
            case 8:
                peer.reset()
            case 9:
                await peer.send(b"no HTTP\r\n\r\n")
            case 10:
                await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfo")
                peer.close()
            case _:
                await peer.answer(body)

    with raw_server(sound_until_the_window(LOAD, faulty)) as server:
        samples, load_run = run(engine, LOAD, target_at(server.port, BODIES))
    assert Counter(sample.error for sample in samples) == {
        ErrorClass.HTTP_5XX: 2,
        ErrorClass.HTTP_4XX: 1,
        ErrorClass.HTTP_3XX: 1,
        ErrorClass.WRONG_BODY: 2,
        ErrorClass.TIMEOUT: 1,
        ErrorClass.CLOSED: 2,
        ErrorClass.PROTOCOL: 1,
        None: LOAD.requests - 10,
    }
    assert len(server.requests) == LOAD.requests + warm_up_requests(LOAD), "nothing is sent twice"
    assert load_run.generator.connections_opened == server.connections == LOAD.concurrency + 3, (
        "after reset, no HTTP and cut; who timed out finds nothing left to send"
    )


def test_a_server_that_goes_away_is_told_to_the_last_request(engine: Engine) -> None:
    """It serves 30 requests and is gone, port and all."""
    load = replace(LOAD, concurrency=1)

    async def goes(peer: Peer, host: str, number: int) -> None:
        await peer.answer(BODIES[host])
        if number == 30:
            peer.server.stop_listening()
            peer.close()

    with raw_server(sound_until_the_window(load, goes)) as server:
        samples, _ = run(engine, load, target_at(server.port, BODIES))
    errors = [sample.error for sample in samples]
    assert len(errors) == load.requests
    assert errors[:30] == [None] * 30
    assert errors[31:] == [ErrorClass.CONNECT] * 29
    assert errors[30] in (ErrorClass.CONNECT, ErrorClass.CLOSED), "sent before or after the end was seen"


def test_a_host_that_needs_a_retry_to_warm_up_is_measured(engine: Engine) -> None:
    async def slow_to_start(peer: Peer) -> None:
        while (host := await peer.request()) is not None:
            await peer.answer(BODIES[host], status=503 if len(peer.server.requests) == 1 else 200)

    with raw_server(slow_to_start) as server:
        samples, _ = run(engine, LOAD, target_at(server.port, BODIES))
    assert {sample.error for sample in samples} == {None}
    assert len(samples) == LOAD.requests, "warm-up requests are no samples"
    assert len(server.requests) == LOAD.requests + warm_up_requests(LOAD) + 1


def test_a_host_that_never_answers_rightly_ends_the_run_with_what_came(engine: Engine) -> None:
    async def swapped(peer: Peer) -> None:
        while (host := await peer.request()) is not None:
            await peer.answer(BODIES[host] if host == "foo.localhost" else b"default \x1b[31mbackend - 404")

    with raw_server(swapped) as server:
        with pytest.raises(UnhealthyError) as told:
            run(engine, LOAD, target_at(server.port, BODIES))
        assert Counter(server.requests) == {"foo.localhost": 1, "bar.localhost": 2}
    assert "bar.localhost" in told.value.message
    assert "wrong_body, status 200, body 'default \\x1b[31mbackend - 404'" in told.value.message
    assert "expected was the body 'bar'" in told.value.message
    assert told.value.hint


def test_nobody_there_ends_the_run_before_the_load(engine: Engine) -> None:
    with raw_server(sound) as server:
        port = server.port
    with pytest.raises(UnhealthyError, match="connect"):
        run(engine, LOAD, target_at(port, BODIES))


def test_what_the_receiver_of_samples_raises_ends_the_run(engine: Engine) -> None:
    received: list[Sample] = []

    def full_disk(sample: Sample) -> None:
        received.append(sample)
        if len(received) == 10:
            raise MachineError("no space left")

    many_at_once = replace(LOAD, concurrency=30).plan()
    with raw_server(sound) as server, pytest.raises(MachineError, match="no space left"):
        engine.run(many_at_once, target_at(server.port, BODIES), full_disk, lambda: None)
    assert len(received) == 10


def test_a_host_that_cannot_be_sent_is_refused(engine: Engine) -> None:
    with pytest.raises(UsageError, match="cannot stand in an HTTP request"):
        run(engine, LOAD, target_at(1, {"foo.localhost\r\nX-Injected: yes": b""}))


def test_too_few_open_files_are_told_before_the_load(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda _: (100, 100))
    with pytest.raises(MachineError, match="a concurrency of 200 may need") as told:
        engine.check(replace(LOAD, concurrency=200).plan())
    assert "ulimit -n" in told.value.hint


class Stopped(BaseException):
    """What the test's own handler raises."""


@contextmanager
def handled(number: signal.Signals) -> Iterator[None]:
    def handler(*_: object) -> None:
        raise Stopped

    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)


def hanging_in_the_window(load: LoadOptions) -> Behaviour:
    async def hang_from_the_fifth(peer: Peer, host: str, number: int) -> None:
        if number >= 5:
            await peer.hang()
        await peer.answer(BODIES[host])

    return sound_until_the_window(load, hang_from_the_fifth)


LONG_LOAD = replace(LOAD, requests=100_000, timeout_s=60.0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("behaviour", [sound, hanging_in_the_window(LONG_LOAD)], ids=["busy", "hanging"])
def test_an_interrupt_stops_the_load_at_once_and_keeps_the_samples(
    engine: Engine, behaviour: Behaviour, number: signal.Signals
) -> None:
    samples: list[Sample] = []
    interrupt = threading.Timer(0.2, os.kill, (os.getpid(), number))

    def receive(sample: Sample) -> None:
        samples.append(sample)
        if len(samples) == 4:
            interrupt.start()

    with raw_server(behaviour) as server, handled(number):
        with pytest.raises(Stopped):
            engine.run(LONG_LOAD.plan(), target_at(server.port, BODIES), receive, lambda: None)
        interrupt.join()
        answered = len(server.requests) - warm_up_requests(LONG_LOAD)
    assert answered - LONG_LOAD.concurrency <= len(samples) <= answered
    assert 4 <= len(samples) < LONG_LOAD.requests


@pytest.mark.parametrize("delay_s", [0.01, 0.03, 0.05, 0.1])
def test_an_interrupt_before_the_window_stops_it_too(engine: Engine, delay_s: float) -> None:
    async def hangs(peer: Peer) -> None:
        await peer.request()
        await peer.hang()

    interrupt = threading.Timer(delay_s, os.kill, (os.getpid(), signal.SIGTERM))
    with raw_server(hangs) as server, handled(signal.SIGTERM):
        with pytest.raises(Stopped):
            run_interrupted(interrupt, engine, target_at(server.port, BODIES))
        interrupt.join()


def run_interrupted(interrupt: threading.Timer, engine: Engine, target: TargetEnvironment) -> None:
    interrupt.start()
    engine.run(replace(LONG_LOAD, timeout_s=3.0).plan(), target, lambda _: None, lambda: None)


def test_an_engine_runs_outside_the_main_thread(engine: Engine) -> None:
    found: list[int] = []
    with raw_server(sound) as server:
        target = target_at(server.port, BODIES)
        thread = threading.Thread(target=lambda: found.append(len(run(engine, LOAD, target)[0])))
        thread.start()
        thread.join()
    assert found == [LOAD.requests]


def test_a_run_leaves_no_connection_behind(engine: Engine) -> None:
    with raw_server(sound) as server:
        run(engine, LOAD, target_at(server.port, BODIES))
        until_s = time.monotonic() + 2
        while server.open_connections and time.monotonic() < until_s:
            time.sleep(0.01)
        assert server.open_connections == 0


def test_of_a_body_far_too_long_only_the_length_is_kept(engine: Engine) -> None:
    """Keeping all of it would take memory and, in one thread, the time of all other clients."""
    body = b"foo" + b" " * 200_000

    async def far_too_long(peer: Peer, host: str, number: int) -> None:
        await peer.answer(body)

    load = replace(LOAD, requests=1, concurrency=1)
    with raw_server(sound_until_the_window(load, far_too_long)) as server:
        [sample], _ = run(engine, load, target_at(server.port, BODIES))
    assert (ErrorClass.WRONG_BODY, len(body)) == (sample.error, sample.body_bytes)
