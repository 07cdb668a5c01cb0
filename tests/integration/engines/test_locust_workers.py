"""A distributed load of the engine `locust`, its master and workers being processes of this machine.

What Kubernetes does for it is tested with `in_cluster`.
"""

import contextlib
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from loadtest.engines.locust import runner
from loadtest.engines.locust.locally import locally
from loadtest.engines.locust.runner.job import Job
from loadtest.errors import InconclusiveError
from loadtest.plan import Users
from loadtest.target import TargetEnvironment
from tests.integration.engines.locust_runs import BODIES, PLAN, run, script, scripted
from tests.integration.engines.raw_server import Peer
from tests.ports import free_port

USERS = Users(users=6, spawn_rate_per_s=6, wait_min_s=0.02, wait_max_s=0.06, duration_s=1.5)
DISTRIBUTED = replace(PLAN, profile=USERS, locust_workers=2)


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Those of the load, once it runs; where the engine would make pods it makes processes."""
    started: list[subprocess.Popen[bytes]] = []

    @contextlib.contextmanager
    def beside(job: Job, target: TargetEnvironment) -> Iterator[tuple[str, ...]]:
        loopback = {"master_host": "127.0.0.1", "master_bind_host": "127.0.0.1"}
        job = replace(job, master_port=free_port(), **loopback)
        with locally(job) as command:
            file = command[-1]
            program = (sys.executable, "-m", runner.__name__)
            for _ in range(job.workers):
                started.append(subprocess.Popen((*program, "worker", file), stdin=subprocess.DEVNULL))
            yield (*program, "master", file)

    monkeypatch.setattr("loadtest.engines.locust.engine.in_cluster", beside)
    with ExitStack() as stack:
        stack.callback(lambda: [one.wait() for one in started])
        stack.callback(lambda: [one.kill() for one in started])
        yield started


def test_every_request_of_every_worker_is_a_sample(workers: list[subprocess.Popen[bytes]]) -> None:
    samples, load_run, asked = run(DISTRIBUTED)
    assert len(workers) == 2
    assert Counter(sample.host for sample in samples) == Counter(asked)
    assert {sample.error for sample in samples} == {None}
    assert all(0 <= sample.intended_start_ns <= sample.actual_start_ns for sample in samples)
    assert 1.2 < load_run.window.duration_s < 3.0
    assert load_run.generator.connections_opened == 6
    sent_by, clocks = load_run.generator.notes
    assert sent_by.startswith("2 workers in the cluster")
    assert clocks.startswith("Their clocks were off by at most")


def test_a_shape_ends_the_load_of_the_workers_without_a_loss(
    workers: list[subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    file = script(
        tmp_path,
        """
        from locust import FastHttpUser, LoadTestShape, constant, task

        class Theirs(FastHttpUser):
            wait_time = constant(0.02)

            @task
            def ask(self):
                self.client.get("/", headers={"Host": "foo.localhost"})

        class OneSecond(LoadTestShape):
            def tick(self):
                return (4, 4) if self.get_run_time() < 0.9 else None
        """,
    )
    samples, _, asked = run(replace(scripted(file), locust_workers=2))
    assert len(samples) == len(asked) > 20


def test_a_worker_that_dies_makes_the_load_inconclusive(workers: list[subprocess.Popen[bytes]]) -> None:
    async def kills(peer: Peer) -> None:
        while (host := await peer.request()) is not None:
            await peer.answer(BODIES[host])
            if len(peer.server.requests) > 20:
                workers[0].kill()

    with pytest.raises(InconclusiveError, match="1 of 2 locust workers told"):
        run(DISTRIBUTED, kills)
