"""Loads by the engine `locust` against a loopback server, for the tests of what only this engine does."""

import contextlib
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import psutil

from loadtest.engines.locust.engine import LocustEngine
from loadtest.load_run import LoadRun
from loadtest.plan import LoadPlan, Script, Users
from loadtest.sample import Sample
from tests.integration.engines.raw_server import Behaviour, Peer, raw_server
from tests.integration.engines.targets import target_at

BODIES = {"foo.localhost": b"foo\n", "bar.localhost": b"bar\n"}
USERS = Users(users=10, spawn_rate_per_s=10, wait_min_s=0.05, wait_max_s=0.15, duration_s=1.0)
PLAN = LoadPlan(engine="locust", profile=USERS, timeout_s=0.4, warm_up_retries=0, seed=7)


async def sound(peer: Peer) -> None:
    while (host := await peer.request()) is not None:
        await peer.answer(BODIES.get(host, b"nobody"))


def run(plan: LoadPlan, behaviour: Behaviour = sound) -> tuple[list[Sample], LoadRun, list[str]]:
    """Samples, what the load said of itself, and the hosts the server was asked for in the window."""
    samples: list[Sample] = []
    with raw_server(behaviour) as server:
        load_run = LocustEngine(warm_up_pause_s=0.01).run(
            plan, target_at(server.port, BODIES), samples.append, lambda: None
        )
        return samples, load_run, server.requests[len(BODIES) :]


def script(folder: Path, text: str) -> Path:
    file = folder / "their_locustfile.py"
    file.write_text(dedent(text))
    return file


def scripted(file: Path, **options: object) -> LoadPlan:
    return replace(PLAN, profile=Script(script=str(file), **options))  # type: ignore[arg-type]


def locust_processes() -> list[psutil.Process]:
    found = []
    for one in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.ZombieProcess, psutil.NoSuchProcess):
            if "loadtest.engines.locust.runner" in one.cmdline():
                found.append(one)
    return found
