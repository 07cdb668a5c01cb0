"""The gate against planted faults: a real load on a server that has them, judged as a run is.

What a cluster adds to that is in `e2e/one_cluster/test_gate.py`.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import psutil
import pytest

from loadtest import slo
from loadtest.engines import engine_for
from loadtest.engines.builtin import worker
from loadtest.errors import UnhealthyError
from loadtest.exit_codes import ExitCode
from loadtest.load_options import LoadOptions
from loadtest.sample import Sample
from loadtest.slo import Objective, Verdict
from loadtest.stats.summarise import summarise
from loadtest.validity import Thresholds, validity_of
from tests.integration.engines.conformance.server import GONE, RIGHT, Behaviour, serving
from tests.integration.engines.targets import target_at
from tests.sample_tables import table_of

FOO, BAR = "foo.localhost", "bar.localhost"
GOOD = Behaviour(body="right", latency_s=0.02)
LOAD = LoadOptions(requests=100, concurrency=10, timeout_s=1)
OPEN_LOOP = LoadOptions(profile="constant_rate", rate_rps=100, duration_s=3)
RIGHT_ANSWERS = Objective(metric="success_ratio", fail_limit=1)
# A machine that has much else to do gives a busy generator less than a core, and a good one its turn late.
THRESHOLDS = Thresholds(generator_core_percent=8, schedule_delay_p99_ms=200, rate_deviation_percent=5)
QUICK = Objective(metric="latency_p50_ms", fail_limit=150)


@dataclass(frozen=True, kw_only=True)
class Judged:
    verdict: Verdict

    @property
    def exit_code(self) -> ExitCode:
        return slo.exit_code(self.verdict)

    @property
    def reasons(self) -> str:
        return "\n".join(self.verdict.reasons)


def run(
    foo: Behaviour,
    objectives: Sequence[Objective] = (RIGHT_ANSWERS, QUICK),
    *,
    load: LoadOptions = LOAD,
    on_sample: Callable[[Sample], None] = lambda sample: None,
    on_window: Callable[[], None] = lambda: None,
) -> Judged:
    """`bar` is good in all of them: a fault of one app must not be lost among the others' answers."""
    behaviours: Mapping[str, Behaviour] = {FOO: foo, BAR: GOOD}
    plan = load.plan()
    samples: list[Sample] = []

    def take(sample: Sample) -> None:
        samples.append(sample)
        on_sample(sample)

    with serving(behaviours) as server:
        target = target_at(server.port, {host: one.body.encode() for host, one in behaviours.items()})
        load_run = engine_for(plan).run(plan, target, take, on_window)
    summary = summarise(table_of(samples), load_run)
    validity = validity_of(plan, load_run, summary, THRESHOLDS)
    return Judged(verdict=slo.evaluate(objectives, summary, None, validity))


def test_good_apps_pass() -> None:
    """What makes each of the others fail is its fault, and nothing else."""
    judged = run(GOOD)
    assert judged.exit_code is ExitCode.PASSED, judged.reasons


@pytest.mark.parametrize("host", [FOO, None])
def test_a_slow_app_misses(host: str | None) -> None:
    slow = Behaviour(body="right", latency_s=0.3)
    limit = Objective(metric="latency_p90_ms", host=host, fail_limit=150)
    judged = run(slow, [RIGHT_ANSWERS, limit])
    assert judged.exit_code is ExitCode.OBJECTIVE_MISSED
    assert "latency_p90_ms" in judged.reasons


def test_the_good_app_beside_a_slow_one_keeps_a_limit_of_its_own() -> None:
    slow = Behaviour(body="right", latency_s=0.3)
    judged = run(slow, [Objective(metric="latency_p90_ms", host=BAR, fail_limit=150)])
    assert judged.exit_code is ExitCode.PASSED, judged.reasons


def test_a_slow_app_that_is_only_to_be_warned_of_passes_with_a_warning() -> None:
    slow = Behaviour(body="right", latency_s=0.3)
    judged = run(slow, [Objective(metric="latency_p90_ms", warn_limit=150, fail_limit=5_000)])
    assert judged.verdict.status is slo.VerdictStatus.WARNED
    assert judged.exit_code is ExitCode.PASSED
    assert "it should be at most 150" in judged.reasons


@pytest.mark.parametrize("fault", ["503", "404", "wrong body", "cut", "hang"])
def test_one_fault_among_all_answers_misses(fault: str) -> None:
    faults = (*[RIGHT] * 9, fault, *[RIGHT] * 90)
    judged = run(Behaviour(body="right", latency_s=0.02, faults=faults))
    assert judged.exit_code is ExitCode.OBJECTIVE_MISSED
    assert "success_ratio" in judged.reasons


def test_one_of_two_replicas_that_answers_for_another_app_misses() -> None:
    """Its answers are quick and have status 200."""
    replicas = Behaviour(body="right", latency_s=0.02, faults=(RIGHT, "wrong body"))
    judged = run(replicas, [Objective(metric="wrong_bodies", host=FOO, fail_limit=0), QUICK])
    assert judged.exit_code is ExitCode.OBJECTIVE_MISSED
    assert "wrong_bodies of foo.localhost is " in judged.reasons


def test_an_app_that_dies_in_the_middle_of_the_load_misses() -> None:
    judged = run(Behaviour(body="right", latency_s=0.02, faults=(*[RIGHT] * 9, GONE)))
    assert judged.exit_code is ExitCode.OBJECTIVE_MISSED
    assert "success_ratio" in judged.reasons


def test_an_app_that_never_answers_is_not_even_measured() -> None:
    with pytest.raises(UnhealthyError):
        run(Behaviour(body="right", latency_s=0.02, faults=(GONE,), right_at_first=0))


def test_an_open_loop_that_keeps_its_schedule_passes() -> None:
    judged = run(GOOD, load=OPEN_LOOP)
    assert judged.exit_code is ExitCode.PASSED, judged.reasons


def test_an_open_loop_whose_generator_was_held_up_proves_no_latency() -> None:
    """A process that is stopped for a while sends late what was due meanwhile."""
    judged = run(GOOD, load=OPEN_LOOP, on_window=lambda: hold_up(after_s=0.3, for_s=1.0))
    assert judged.exit_code is ExitCode.INCONCLUSIVE
    assert "requests were sent " in judged.reasons
    assert "ms late" in judged.reasons


def hold_up(*, after_s: float, for_s: float) -> None:
    running = [one for one in psutil.Process().children() if one.status() != psutil.STATUS_ZOMBIE]
    [sender] = [one for one in running if worker.__name__ in one.cmdline()]
    threading.Timer(after_s, sender.suspend).start()
    threading.Timer(after_s + for_s, sender.resume).start()


def burn(sample: Sample) -> None:
    """What a generator that needs a hundred times the CPU does."""
    until_s = time.thread_time() + 0.008
    while time.thread_time() < until_s:
        pass


def test_a_generator_that_is_busy_with_itself_proves_no_latency_neither_good_nor_bad() -> None:
    for fail_limit in (1, 60_000):
        judged = run(GOOD, [Objective(metric="latency_p50_ms", fail_limit=fail_limit)], on_sample=burn)
        assert judged.exit_code is ExitCode.INCONCLUSIVE
        assert "of a core, at most 8 % may be" in judged.reasons


def test_a_wrong_body_is_one_however_busy_the_generator() -> None:
    replicas = Behaviour(body="right", latency_s=0.02, faults=(RIGHT, "wrong body"))
    judged = run(replicas, on_sample=burn)
    assert judged.exit_code is ExitCode.OBJECTIVE_MISSED
    assert "success_ratio" in judged.reasons
    assert "at most 8 % may be" in judged.reasons, "the doubt is told all the same"
