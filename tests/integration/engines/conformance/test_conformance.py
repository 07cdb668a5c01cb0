"""What every engine has to keep, whatever sends its load: each row of the table, with each profile it has.

The server is a process of its own that knows which request it answered when and how, so that nothing rests on
what an engine says of itself.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles

import jsonschema
import msgspec
import psutil
import pytest

from loadtest.engines import ENGINES, engine_for
from loadtest.errors import MachineError, UnhealthyError, UsageError
from loadtest.load_run import LoadRun
from loadtest.plan import ClosedLoop, ConstantRate, LoadPlan, RampingRate, Users
from loadtest.report import json_format
from loadtest.sample import Arm, ErrorClass, Sample
from loadtest.stats.summarise import summarise
from tests.integration.engines.conformance.loads import CAN, CANNOT, TIMEOUT_S, plan
from tests.integration.engines.conformance.server import (
    FAULTS,
    GONE,
    RIGHT,
    Account,
    Behaviour,
    Handling,
    Server,
    serving,
)
from tests.integration.engines.targets import target_at
from tests.sample_tables import table_of
from tests.unit.report import values

SCHEMA = json.loads((Path(__file__).parents[4] / "docs" / "report.schema.json").read_text())
LATENCY_S = 0.05
# Where the machine is busy with something else, what is due may find every connection waiting for its turn.
DROPPED_RATIO = 0.1
SOUND, FAULTY = "sound.localhost", "faulty.localhost"
BEHAVIOURS = {
    SOUND: Behaviour(body="sound", latency_s=LATENCY_S),
    FAULTY: Behaviour(body="fault", latency_s=LATENCY_S, faults=[*FAULTS, *[RIGHT] * 15]),
}
BODIES = {host: one.body.encode() for host, one in BEHAVIOURS.items()}
ERRORS = {
    RIGHT: None,
    "404": ErrorClass.HTTP_4XX,
    "503": ErrorClass.HTTP_5XX,
    "wrong body": ErrorClass.WRONG_BODY,
    "cut": ErrorClass.CLOSED,
    "hang": ErrorClass.TIMEOUT,
}
# How far from its first moment the window may be told: another program's lines take their time.
TOLD_EARLY_NS, TOLD_LATE_NS = 2 * 10**9, 2 * 10**8
TELL_NO_PARTS = {"locust"}
WHOLE = {RIGHT, "404", "503", "wrong body"}


@dataclass(frozen=True, kw_only=True)
class Run:
    """A load with both sides of it: what the engine says, and what the server saw."""

    plan: LoadPlan
    samples: list[Sample]
    load_run: LoadRun
    account: Account
    took_s: float
    window_calls_unix_ns: list[int]

    @property
    def in_window(self) -> tuple[Handling, ...]:
        """Warm-up is over before the window begins: its requests are the ones that arrived first."""
        return self.account.handlings[len(self.account.handlings) - len(self.samples) :]

    def pairs(self) -> Iterator[tuple[Sample, Handling]]:
        """Each sample of a whole answer with the server's side of the same request."""
        handlings = {one.body_bytes: one for one in self.in_window if one.fault in WHOLE}
        for sample in self.samples:
            if sample.error not in (ErrorClass.CLOSED, ErrorClass.TIMEOUT):
                yield sample, handlings[sample.body_bytes]


@pytest.fixture(scope="module", params=CAN, ids=" ".join)
def run(request: pytest.FixtureRequest) -> Run:
    engine, profile = request.param
    load = plan(engine, profile)
    samples: list[Sample] = []
    window_calls_unix_ns: list[int] = []
    with serving(BEHAVIOURS) as server:
        started_s = time.monotonic()
        load_run = engine_for(load).run(
            load,
            target_at(server.port, BODIES),
            samples.append,
            lambda: window_calls_unix_ns.append(time.time_ns()),
        )
        took_s = time.monotonic() - started_s
        account = server.end()
    return Run(
        plan=load,
        samples=samples,
        load_run=load_run,
        account=account,
        took_s=took_s,
        window_calls_unix_ns=window_calls_unix_ns,
    )


def test_as_many_requests_are_sent_as_planned(run: Run) -> None:
    planned, dropped = run.plan.profile.planned_requests, run.load_run.generator.dropped_requests
    assert len(run.samples) > 100 if planned is None else len(run.samples) + dropped == planned
    assert dropped <= len(run.samples) * DROPPED_RATIO


def test_the_window_is_told_once_after_the_warm_up_and_no_later_than_its_first_requests(run: Run) -> None:
    [told_unix_ns] = run.window_calls_unix_ns
    warmed_up = run.account.handlings[len(BODIES) - 1].answered_unix_ns
    assert warmed_up is not None
    assert warmed_up < told_unix_ns < run.load_run.window.started_unix_ns + TOLD_LATE_NS
    assert run.load_run.window.started_unix_ns - told_unix_ns < TOLD_EARLY_NS


def test_no_sample_is_lost_or_doubled(run: Run) -> None:
    answered = Counter((one.host, one.body_bytes) for one in run.in_window if one.fault in WHOLE)
    whole = [one for one in run.samples if one.error not in (ErrorClass.CLOSED, ErrorClass.TIMEOUT)]
    assert Counter((one.host, one.body_bytes) for one in whole) == answered
    assert set(answered.values()) == {1}


def test_nothing_but_the_warm_up_is_sent_besides(run: Run) -> None:
    besides = len(run.account.handlings) - len(run.samples)
    assert len(BODIES) <= besides <= len(BODIES) + run.load_run.generator.connections_opened


def test_every_error_is_told_by_its_class(run: Run) -> None:
    expected = Counter((one.host, ERRORS[one.fault]) for one in run.in_window)
    assert Counter((one.host, one.error) for one in run.samples) == expected
    assert {error for _, error in expected} == {*ERRORS.values()}, "the load was long enough for every fault"


def test_a_sample_has_the_status_of_its_answer(run: Run) -> None:
    for sample, handling in run.pairs():
        assert sample.status == (int(handling.fault) if handling.fault.isdigit() else 200)


def test_every_host_gets_its_share(run: Run) -> None:
    shares = Counter(sample.host for sample in run.samples)
    drawn = run.plan.profile.planned_requests is None
    dropped = run.load_run.generator.dropped_requests
    assert set(shares) == set(BODIES)
    assert max(shares.values()) - min(shares.values()) <= (0.3 * len(run.samples) if drawn else dropped)


def test_a_latency_is_what_the_server_took_and_little_more(run: Run) -> None:
    beyond_ms = [
        (sample.latency_ns - (handling.answered_unix_ns - handling.arrived_unix_ns)) / 1e6
        for sample, handling in run.pairs()
        if handling.answered_unix_ns is not None
    ]
    assert min(beyond_ms) > -1, "none is shorter than what it consists of"
    # Generous, for a busy machine, but a second latency of the server's is too much.
    assert quantiles(beyond_ms, n=10)[0] < 0.75 * LATENCY_S * 1e3


def test_a_latency_is_split_into_parts_that_fit_into_it(run: Run) -> None:
    parts_ns = [
        (one.connect_ns, one.first_byte_ns, one.latency_ns)
        for one in run.samples
        if one.connect_ns is not None and one.first_byte_ns is not None
    ]
    assert bool(parts_ns) == (run.plan.engine not in TELL_NO_PARTS)
    assert all(0 <= connect <= first_byte <= latency for connect, first_byte, latency in parts_ns)
    waits_ms = [(first_byte - connect) / 1e6 for connect, first_byte, _ in parts_ns]
    assert min(waits_ms, default=LATENCY_S * 1e3) > LATENCY_S * 1e3 - 1, "the server waits before it answers"


def test_a_request_that_times_out_ends_with_its_time(run: Run) -> None:
    waited_s = [one.latency_ns / 1e9 for one in run.samples if one.error is ErrorClass.TIMEOUT]
    assert all(TIMEOUT_S - 0.01 <= one <= TIMEOUT_S + 0.5 for one in waited_s), waited_s


def test_a_request_starts_before_it_arrives_and_on_the_same_clock(run: Run) -> None:
    window_ns = run.load_run.window.started_unix_ns
    ahead_ms = [
        (handling.arrived_unix_ns - window_ns - sample.actual_start_ns) / 1e6
        for sample, handling in run.pairs()
    ]
    assert min(ahead_ms) > -5, "give or take what it takes to read two clocks"
    assert quantiles(ahead_ms)[0] < 50


def test_no_request_starts_before_it_is_meant_to(run: Run) -> None:
    assert all(0 <= one.intended_start_ns <= one.actual_start_ns for one in run.samples)
    assert {(one.arm, one.round) for one in run.samples} == {(Arm.HEAD, 1)}


def test_the_window_ends_with_the_last_answer(run: Run) -> None:
    last_end_s = max(one.actual_start_ns + one.latency_ns for one in run.samples) / 1e9
    assert run.load_run.window.duration_s == pytest.approx(last_end_s, abs=0.002)


def test_the_load_has_the_shape_of_its_profile(run: Run) -> None:
    starts_s = sorted(one.actual_start_ns / 1e9 for one in run.samples)
    match run.plan.profile:
        case ClosedLoop(concurrency=concurrency):
            assert max(one.under_way for one in run.in_window) == concurrency
        case ConstantRate(rate_rps=rate_rps):
            gaps_s = [after - before for before, after in pairwise(starts_s)]
            assert median(gaps_s) == pytest.approx(1 / rate_rps, rel=0.2)
            assert starts_s[-1] == pytest.approx((len(starts_s) - 1) / rate_rps, abs=0.3)
        case RampingRate(stages=stages):
            half_s = stages[0].duration_s / 2
            counts = Counter(int(start_s // half_s) for start_s in starts_s)
            assert 1.8 * counts[0] < counts[1] < counts[2], "a third of the ramp's requests, then the rest"
        case Users(users=users, duration_s=duration_s):
            assert run.load_run.generator.connections_opened >= users
            assert starts_s[-1] <= duration_s + 0.2


def test_the_run_is_over_soon_after_its_load(run: Run) -> None:
    assert run.took_s < run.load_run.window.duration_s + 6, "the time an engine may take to start and to end"


def test_no_connection_is_left(run: Run) -> None:
    assert run.account.open_connections == 0


def test_the_generator_says_what_it_used(run: Run) -> None:
    generator = run.load_run.generator
    assert generator.engine == run.plan.engine
    assert 0 < generator.cpu_s < 2 * os.cpu_count() * run.load_run.window.duration_s  # type: ignore[operator]
    assert 1 <= generator.connections_opened <= run.account.connections


def test_a_report_made_of_it_fits_the_published_schema(run: Run) -> None:
    report = msgspec.structs.replace(
        values.report(summarise(table_of(run.samples), run.load_run)),
        plan=run.plan,
        window=run.load_run.window,
        generator=run.load_run.generator,
    )
    text = json_format.render(report)
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(text))
    assert json_format.parse(text) == report


each_row = pytest.mark.parametrize(("engine", "profile"), CAN)
# What does not depend on the shape of a load.
each_engine = pytest.mark.parametrize(
    ("engine", "profile"), {engine: (engine, one) for engine, one in CAN}.values()
)


@pytest.mark.parametrize(("engine", "profile"), CANNOT)
def test_what_an_engine_cannot_do_is_refused_with_those_that_can(engine: str, profile: str) -> None:
    load = plan(engine, profile)
    with pytest.raises(UsageError, match=f"engine {engine} cannot carry out the profile {profile}") as told:
        engine_for(load)
    able = [name for name, row in ENGINES.items() if type(load.profile) in row.profiles]
    assert told.value.hint == f"The engines that can: {', '.join(able) or 'none'}."


@each_engine
def test_a_host_that_never_answers_rightly_ends_the_run_before_its_load(engine: str, profile: str) -> None:
    load, samples = plan(engine, profile), list[Sample]()
    with serving({"foo.localhost": Behaviour(body="bar", latency_s=0)}) as server:
        with pytest.raises(UnhealthyError, match="wrong_body"):
            engine_for(load).run(
                load, target_at(server.port, {"foo.localhost": b"foo"}), samples.append, lambda: None
            )
        assert len(server.end().handlings) == 1
    assert samples == []


@each_engine
def test_nobody_there_ends_the_run_before_its_load(engine: str, profile: str) -> None:
    load = plan(engine, profile)
    with serving(BEHAVIOURS) as server:
        server.end()
    with pytest.raises(UnhealthyError, match="connect"):
        engine_for(load).run(load, target_at(server.port, BODIES), lambda _: None, lambda: None)


@each_row
def test_more_than_the_open_file_limit_allows_is_refused(
    engine: str, profile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda _: (65, 65))
    load = plan(engine, profile)
    with pytest.raises(MachineError, match="open files, this machine's limit is 65") as told:
        engine_for(load).run(load, target_at(1, BODIES), lambda _: None, lambda: None)
    assert "ulimit -n" in told.value.hint


@each_engine
def test_a_server_that_goes_away_is_told_to_the_last_request(engine: str, profile: str) -> None:
    load, samples = plan(engine, profile), list[Sample]()
    behaviour = Behaviour(body="foo", latency_s=0.005, faults=[GONE], right_at_first=60)
    with serving({"foo.localhost": behaviour}) as server:
        engine_for(load).run(
            load, target_at(server.port, {"foo.localhost": b"foo"}), samples.append, lambda: None
        )
        account = server.end()
    errors = Counter(sample.error for sample in samples)
    assert set(errors) == {None, ErrorClass.CLOSED, ErrorClass.CONNECT} or set(errors) == {
        None,
        ErrorClass.CONNECT,
    }
    assert errors[None] <= 60 < len(account.handlings) + errors[ErrorClass.CONNECT]
    assert len(samples) >= (load.profile.planned_requests or 100)
    refused_ns = [sample.latency_ns for sample in samples if sample.error is ErrorClass.CONNECT]
    assert all(0 <= latency_ns < TIMEOUT_S * 1e9 for latency_ns in refused_ns)


@each_engine
def test_what_becomes_of_a_sample_can_end_the_run(engine: str, profile: str) -> None:
    load, received = plan(engine, profile), list[Sample]()

    def full_disk(sample: Sample) -> None:
        received.append(sample)
        if len(received) == 10:
            raise MachineError("no space left")

    with serving(BEHAVIOURS) as server:
        others = running_here()
        with pytest.raises(MachineError, match="no space left"):
            engine_for(load).run(load, target_at(server.port, BODIES), full_disk, lambda: None)
        assert running_here() - others == set(), "no program of the engine's is left"
        assert server.end().open_connections == 0
    assert 10 <= len(received) < 20, "those that end at the same time may still be told"


@contextmanager
def driven(engine: str, profile: str, server: Server) -> Iterator[subprocess.Popen[bytes]]:
    """The engine in a program in the foreground of its own terminal, sending its load."""
    program = subprocess.Popen(
        (
            sys.executable,
            "-m",
            "tests.integration.engines.conformance.driver",
            engine,
            profile,
            str(server.port),
        ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        process_group=0,
    )
    assert program.stdout
    try:
        program.stdout.read(50)
        yield program
    finally:
        program.kill()
        program.communicate()


@each_engine
def test_a_ctrl_c_ends_the_load_and_everything_that_sends_it(engine: str, profile: str) -> None:
    with (
        serving({"foo.localhost": Behaviour(body="foo", latency_s=0.005)}) as server,
        driven(engine, profile, server) as program,
    ):
        senders = psutil.Process(program.pid).children(recursive=True)
        started_s = time.monotonic()
        os.killpg(program.pid, signal.SIGINT)
        _, said = program.communicate(timeout=20)
        assert time.monotonic() - started_s < 5
        assert program.returncode == -signal.SIGINT, said
        _, alive = psutil.wait_procs(senders, timeout=1)
        assert alive == []
        assert server.end().open_connections == 0


@each_engine
def test_a_killed_run_leaves_nobody_who_goes_on_sending(engine: str, profile: str) -> None:
    with (
        serving({"foo.localhost": Behaviour(body="foo", latency_s=0.005)}) as server,
        driven(engine, profile, server) as program,
    ):
        senders = psutil.Process(program.pid).children(recursive=True)
        program.kill()
        _, alive = psutil.wait_procs(senders, timeout=5)
        assert alive == []


def running_here() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}
