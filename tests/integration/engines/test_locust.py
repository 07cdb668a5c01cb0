"""What only the engine `locust` does: users who come and wait, a user's own locustfile, its web page."""

import asyncio
import contextlib
import os
import signal
import socket
import threading
import time
import urllib.request
from collections import Counter
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import pytest

from loadtest.engines import engine_for
from loadtest.engines.locust.engine import LocustEngine
from loadtest.errors import MachineError, UsageError
from loadtest.plan import Users
from loadtest.sample import ErrorClass, Sample
from tests.integration.engines.locust_runs import (
    BODIES,
    PLAN,
    locust_processes,
    run,
    script,
    scripted,
    sound,
)
from tests.integration.engines.raw_server import Behaviour, Peer, raw_server
from tests.integration.engines.targets import target_at
from tests.integration.engines.test_client import FAULTS
from tests.ports import free_port


def test_users_come_at_their_rate_and_wait_between_requests() -> None:
    plan = replace(
        PLAN, profile=Users(users=6, spawn_rate_per_s=3, wait_min_s=0.1, wait_max_s=0.2, duration_s=1.9)
    )
    samples, load_run, asked = run(plan)
    assert Counter(sample.host for sample in samples) == Counter(asked)
    assert {sample.error for sample in samples} == {None}
    in_second = Counter(int(sample.actual_start_ns / 1e9) for sample in samples)
    assert in_second[0] < 0.8 * in_second[1], "three more users in the next second"
    user_seconds = 3 * 1.9 + 3 * 0.9
    assert user_seconds / 0.2 * 0.8 <= len(samples) <= user_seconds / 0.1 * 1.1
    assert load_run.generator.connections_opened == 6, "each user keeps its own"
    assert 1.7 < load_run.window.duration_s < 3.0


def test_the_seed_fixes_whom_each_user_asks() -> None:
    profile = Users(users=1, spawn_rate_per_s=1, wait_min_s=0.001, wait_max_s=0.01, duration_s=0.5)
    first, again, other = (run(replace(PLAN, profile=profile, seed=seed))[2] for seed in (7, 7, 8))
    least = min(len(first), len(again), len(other))
    assert least >= 8
    assert first[:least] == again[:least] != other[:least]
    assert set(first) == set(BODIES)


def test_a_user_intends_its_request_for_when_its_wait_is_over() -> None:
    samples, load_run, _ = run(PLAN)
    assert load_run.generator.tells_intended_start
    delays_ns = [sample.actual_start_ns - sample.intended_start_ns for sample in samples]
    assert min(delays_ns) >= 0
    assert 0 < sorted(delays_ns)[len(delays_ns) // 2] < 50_000_000, "the generator's own delay is measured"


def test_latency_is_what_the_server_took() -> None:
    async def slow(peer: Peer) -> None:
        while (host := await peer.request()) is not None:
            await asyncio.sleep(0.03)
            await peer.answer(BODIES[host])

    samples, load_run, _ = run(PLAN, slow)
    latencies_ns = sorted(sample.latency_ns for sample in samples)
    assert latencies_ns[0] > 29_000_000
    assert latencies_ns[len(latencies_ns) // 2] < 60_000_000
    assert 0 < load_run.generator.cpu_s < load_run.window.duration_s


# What locust's client sees otherwise than the engine of this project, which reads the bytes itself.
OTHERWISE: dict[str, ErrorClass | None] = {
    "says more than asked": ErrorClass.WRONG_BODY,  # it takes the second answer for a part of the first
    "says far too much": None,  # it keeps white space of any length
}
# It reads on until the time-out, which takes the time of all its users.
TOO_MUCH = "sends an endless head"


def test_a_fault_is_told_by_its_class_and_nothing_is_sent_twice() -> None:
    """Every fault is an app of its own, which answers rightly to its warm-up alone."""
    faults = {f"fault-{number}": name for number, name in enumerate(FAULTS) if name != TOO_MUCH}
    expected = {host: OTHERWISE.get(name, FAULTS[name][1]) for host, name in faults.items()}
    asked: Counter[str] = Counter()

    async def behaviour(peer: Peer) -> None:
        request = peer.request
        while (host := await request()) is not None:
            asked[host] += 1
            if asked[host] == 1:
                await peer.answer(b"foo")
            else:
                await once(peer, host, FAULTS[faults[host]][0], hangs=expected[host] is ErrorClass.TIMEOUT)

    plan = replace(
        PLAN, profile=Users(users=15, spawn_rate_per_s=15, wait_min_s=0, wait_max_s=0.1, duration_s=3.0)
    )
    samples: list[Sample] = []
    with raw_server(behaviour) as server:
        target = target_at(server.port, dict.fromkeys(faults, b"foo"))
        LocustEngine().run(plan, target, samples.append, lambda: None)
    found = {faults[host]: {one.error for one in samples if one.host == host} for host in faults}
    assert found == {faults[host]: {error} for host, error in expected.items()}
    assert Counter(one.host for one in samples) == asked - Counter(faults.keys())
    timeouts_ns = sorted(one.latency_ns for one in samples if one.error is ErrorClass.TIMEOUT)
    # A server that goes on sending would make it last for ever; a busy machine makes some last longer, and
    # gevent's timers begin with the round of its loop, some milliseconds before the request.
    assert timeouts_ns[0] >= 380_000_000, "of the whole request"
    assert timeouts_ns[len(timeouts_ns) // 2] < 1_500_000_000
    assert timeouts_ns[-1] < 5_000_000_000


async def once(peer: Peer, host: str, fault: Behaviour, *, hangs: bool) -> None:
    """The fault for the one request that has come; a connection that survives it may be used again."""
    hosts = iter([host])

    async def request() -> str | None:
        return next(hosts, None)

    peer.request = request  # type: ignore[method-assign]
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(fault(peer), timeout=None if hangs else 0.1)


def test_a_server_that_is_gone_is_a_connection_error() -> None:
    async def goes(peer: Peer) -> None:
        while (host := await peer.request()) is not None:
            await peer.answer(BODIES[host])
            if len(peer.server.requests) == 10:
                peer.server.stop_listening()
                return

    plan = replace(
        PLAN, profile=Users(users=1, spawn_rate_per_s=1, wait_min_s=0, wait_max_s=0.01, duration_s=0.5)
    )
    samples, _, asked = run(plan, goes)
    errors = [sample.error for sample in samples]
    assert errors[: len(asked)] == [None] * len(asked)
    assert set(errors[len(asked) + 1 :]) == {ErrorClass.CONNECT}


THEIRS = """
    from locust import FastHttpUser, HttpUser, constant, events, task

    class Fast(FastHttpUser):
        host = "http://never.asked"
        wait_time = constant(0.05)
        default_headers = {"Host": "foo.localhost"}

        @task
        def right(self):
            self.client.get("/")

    class Slow(HttpUser):
        wait_time = constant(0.05)

        @task
        def checked(self):
            with self.client.get("/", headers={"Host": "bar.localhost"}, catch_response=True) as answer:
                if answer.text != "foo\\n":
                    answer.failure("not foo")

        @task
        def elsewhere(self):
            print("they print to standard output")
            self.client.get("/")
"""


def test_a_users_own_locustfile_runs_as_it_is(tmp_path: Path) -> None:
    file = script(tmp_path, THEIRS)
    samples, load_run, asked = run(scripted(file, users=4, spawn_rate_per_s=4, duration_s=1.0))
    assert Counter(sample.host for sample in samples) == Counter(host.partition(":")[0] for host in asked)
    assert {one.error for one in samples if one.host == "foo.localhost"} == {None}
    assert {one.error for one in samples if one.host == "bar.localhost"} == {ErrorClass.WRONG_BODY}
    assert any(one.host == "127.0.0.1" for one in samples), "what is none of ours is a sample like all"
    assert not load_run.generator.tells_intended_start


def test_a_locustfile_with_a_shape_ends_when_that_ends(tmp_path: Path) -> None:
    shape = """
    from locust import LoadTestShape

    class OneSecond(LoadTestShape):
        def tick(self):
            return (2, 2) if self.get_run_time() < 0.9 else None
    """
    file = script(tmp_path, dedent(THEIRS) + dedent(shape))
    samples, load_run, asked = run(scripted(file))
    assert len(samples) == len(asked) > 10
    assert load_run.window.duration_s < 2.5


BROKEN = {
    "is no Python": ("class :", "invalid syntax"),
    "has no users": ("import locust", "No User class found"),
    "raises": ("raise KeyError('their mistake')", "their mistake"),
    "says it failed": (
        THEIRS
        + """
    @events.quitting.add_listener
    def _(environment, **kwargs):
        environment.process_exit_code = 3
    """,
        "exit code 3",
    ),
}


@pytest.mark.parametrize(("text", "told"), BROKEN.values(), ids=BROKEN)
def test_a_locustfile_that_fails_is_one_clear_error(tmp_path: Path, text: str, told: str) -> None:
    file = script(tmp_path, text)
    with pytest.raises(UsageError) as error:
        run(scripted(file, duration_s=0.3))
    assert told in str(error.value)
    assert str(file) in error.value.message
    assert len(error.value.hint) < 20_000


def test_a_locustfile_that_never_ends_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--duration"):
        run(scripted(script(tmp_path, THEIRS)))


def test_a_locustfile_that_is_not_there_is_told_before_the_load(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no script .*missing\.py"):
        engine_for(scripted(tmp_path / "missing.py"))


def test_what_tasks_raise_is_told(tmp_path: Path) -> None:
    file = script(
        tmp_path,
        """
        from locust import FastHttpUser, constant, task

        class Broken(FastHttpUser):
            wait_time = constant(0.1)

            @task
            def ask(self):
                self.client.get("/", headers={"Host": "foo.localhost"})
                raise KeyError("their mistake")
        """,
    )
    samples, load_run, _ = run(scripted(file, duration_s=0.5))
    assert {one.error for one in samples} == {None}
    [note] = load_run.generator.notes
    assert "their mistake" in note


def test_what_a_locustfile_tells_of_without_its_time_is_no_sample_and_said(tmp_path: Path) -> None:
    file = script(
        tmp_path,
        """
        from locust import FastHttpUser, constant, task

        class Theirs(FastHttpUser):
            wait_time = constant(0.05)

            @task
            def ask(self):
                self.client.get("/", headers={"Host": "foo.localhost"})
                self.environment.events.request.fire(
                    request_type="WS", name="open", response_time=None, response_length=0, exception=None
                )
        """,
    )
    samples, load_run, asked = run(scripted(file, duration_s=0.6))
    assert len(samples) == len(asked) > 3
    [note] = load_run.generator.notes
    assert note.startswith(f"{len(samples)} requests of the locustfile did not tell how long they took")


def test_settings_that_lie_about_do_not_change_the_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCUST_SPAWN_RATE", "0.1")
    monkeypatch.setenv("LOCUST_PROCESSES", "2")
    monkeypatch.setenv("LOCUST_TAGS", "none")
    (tmp_path / "locust.conf").write_text("tags = none\n")
    monkeypatch.chdir(tmp_path)
    samples, _, asked = run(PLAN)
    assert len(samples) == len(asked) > 10


def test_the_web_page_is_on_loopback_while_the_load_runs() -> None:
    port = free_port()
    pages: list[str] = []

    def look(_: Sample) -> None:
        if not pages:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/stats/requests") as page:
                pages.append(page.read().decode())

    with raw_server(sound) as server:
        plan = replace(PLAN, locust_web_port=port)
        LocustEngine().run(plan, target_at(server.port, BODIES), look, lambda: None)
    assert "user_count" in pages[0]
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
        pass


class Stopped(BaseException):
    """What the test's own handler raises."""


@pytest.mark.parametrize("delay_s", [0.05, 0.2, 0.5])
def test_an_interrupt_while_it_starts_stops_it_at_once_and_leaves_no_process(delay_s: float) -> None:
    def handler(*_: object) -> None:
        raise Stopped

    before = signal.signal(signal.SIGTERM, handler)
    began_s = time.monotonic()
    try:
        with raw_server(sound) as server, pytest.raises(Stopped):
            run_interrupted(threading.Timer(delay_s, os.kill, (os.getpid(), signal.SIGTERM)), server.port)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert time.monotonic() - began_s < delay_s + 1.0
    assert locust_processes() == []


def run_interrupted(interrupt: threading.Timer, port: int) -> None:
    interrupt.start()
    LocustEngine().run(LONG_PLAN, target_at(port, BODIES), lambda _: None, lambda: None)


LONG_PLAN = replace(
    PLAN, profile=Users(users=5, spawn_rate_per_s=5, wait_min_s=0, wait_max_s=0, duration_s=60)
)


def test_the_death_of_locust_is_told() -> None:
    def shoot(sample: Sample) -> None:
        for process in locust_processes():
            process.kill()

    with raw_server(sound) as server, pytest.raises(MachineError, match="was ended by signal 9"):
        LocustEngine().run(LONG_PLAN, target_at(server.port, BODIES), shoot, lambda: None)


def test_a_port_that_somebody_has_is_told_before_the_load() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(MachineError, match=f"cannot have port {port} of this machine: Address"):
            run(replace(PLAN, locust_web_port=port))


def test_users_who_send_nothing_are_one_clear_error(tmp_path: Path) -> None:
    idle = """
        import time
        from locust import HttpUser, task

        class Idle(HttpUser):
            @task
            def wait(self):
                time.sleep(0.1)
    """
    file = script(tmp_path, idle)
    with pytest.raises(UsageError, match="sent no request"):
        run(scripted(file, users=1, duration_s=0.5))
