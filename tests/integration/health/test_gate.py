"""Waiting until checks pass, side by side and step by step, within one time limit."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest

from loadtest.cluster.kubectl import Kubectl, kubectl_for
from loadtest.errors import MachineError, UnhealthyError
from loadtest.health import gate
from loadtest.health.checks import Check
from loadtest.health.gate import HealthReport, Patience, Steps, run_checks, wait_healthy
from loadtest.target import AutoscalerTarget
from tests.unit.monitoring.values import ingress_target, monitoring_target, target

_SHORT = Patience(limit_s=0.5, interval_s=0.02)


@dataclass(kw_only=True)
class Scripted:
    """Fails `failures` times, then passes; tells when it was asked."""

    name: str
    failures: int = 0
    takes_s: float = 0.0
    asked_s: list[float] = field(default_factory=list)
    timeouts_s: list[float] = field(default_factory=list)

    def obstacle(self, timeout_s: float) -> str | None:
        self.asked_s.append(time.monotonic())
        self.timeouts_s.append(timeout_s)
        time.sleep(self.takes_s)
        return f"failure {len(self.asked_s)}" if len(self.asked_s) <= self.failures else None


@dataclass(kw_only=True)
class Telling:
    """Says these one after another, then nothing."""

    name: str
    obstacles: list[str]

    def obstacle(self, timeout_s: float) -> str | None:
        return self.obstacles.pop(0) if self.obstacles else None


@dataclass(frozen=True, kw_only=True)
class Broken:
    name: str
    error: Exception

    def obstacle(self, timeout_s: float) -> str | None:
        raise self.error


def test_checks_that_pass_at_once_are_asked_once() -> None:
    report = run_checks([[[Scripted(name="a"), Scripted(name="b")]]], patience=_SHORT)
    assert [(one.name, one.attempts, one.obstacle) for one in report.checks] == [
        ("a", 1, None),
        ("b", 1, None),
    ]


def test_a_check_is_asked_until_it_passes() -> None:
    (outcome,) = run_checks([[[Scripted(name="a", failures=3)]]], patience=_SHORT).checks
    assert (outcome.attempts, outcome.obstacle) == (4, None)


def test_first_attempts_are_short_so_that_a_lost_packet_holds_up_none() -> None:
    check = Scripted(name="a", failures=5)
    run_checks([[[check]]], patience=Patience(limit_s=60, interval_s=0.01))
    assert check.timeouts_s == [1.0, 2.0, 4.0, 5.0, 5.0, 5.0]


def test_a_check_that_never_passes_is_asked_until_time_runs_out_and_keeps_its_last_words() -> None:
    check = Scripted(name="a", failures=10_000)
    began_s = time.monotonic()
    (outcome,) = run_checks([[[check]]], patience=_SHORT).checks
    assert 0.4 < time.monotonic() - began_s < 2
    assert outcome.attempts == len(check.asked_s) > 5
    assert outcome.obstacle == f"failure {outcome.attempts}"


def test_checks_of_one_step_run_side_by_side() -> None:
    slow = [Scripted(name=name, takes_s=0.3) for name in "abcd"]
    assert run_checks([[slow]], patience=Patience(limit_s=5)).took_s < 0.3 * len(slow)


def test_a_step_begins_only_when_the_one_before_it_has_passed() -> None:
    first, second = Scripted(name="first", failures=5), Scripted(name="second")
    run_checks([[[first], [second]]], patience=_SHORT)
    assert len(first.asked_s) == 6
    assert first.asked_s[-1] < second.asked_s[0]


def test_a_step_that_fails_keeps_the_next_from_being_asked() -> None:
    second = Scripted(name="second")
    report = run_checks([[[Scripted(name="first", failures=10_000)], [second]]], patience=_SHORT)
    assert [one.name for one in report.checks] == ["first"]
    assert second.asked_s == []


def test_tracks_do_not_wait_for_each_other_and_what_is_last_waits_for_all() -> None:
    quick, slow = Scripted(name="quick"), Scripted(name="slow", failures=10)
    after_quick, last = Scripted(name="after quick"), Scripted(name="last")
    report = run_checks([[[quick], [after_quick]], [[slow]]], [last], patience=_SHORT)
    assert after_quick.asked_s[0] < slow.asked_s[-1] < last.asked_s[0]
    assert ["quick", "after quick", "slow", "last"] == [one.name for one in report.checks]


def test_what_the_last_track_came_to_is_asked_again_where_another_took_longer() -> None:
    """As an autoscaler may have made a pod by then that the ingress does not know."""
    first, known = Scripted(name="first"), Scripted(name="known")
    run_checks([[[Scripted(name="slow", failures=10)]], [[first], [known]]], [], patience=_SHORT)
    assert (1, 2) == (len(first.asked_s), len(known.asked_s))


def test_it_is_not_where_it_is_what_was_waited_for() -> None:
    known = Scripted(name="known", failures=10)
    run_checks([[[Scripted(name="quick")]], [[known]]], [], patience=_SHORT)
    assert 11 == len(known.asked_s)


def test_what_is_last_is_not_asked_where_a_track_has_failed() -> None:
    last = Scripted(name="last")
    report = run_checks([[[Scripted(name="a", failures=10_000)]]], [last], patience=_SHORT)
    assert (["a"], []) == ([one.name for one in report.checks], last.asked_s)


def test_every_change_of_what_is_waited_for_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    run_checks([[[Telling(name="a", obstacles=["one", "one", "two", "two"])]]], patience=_SHORT)
    waits = [vars(record)["obstacle"] for record in caplog.records if record.message == "waiting"]
    assert ["one", "two"] == waits


def test_one_time_limit_holds_for_all_steps_together() -> None:
    never: list[list[Check]] = [
        [Scripted(name="first", failures=30, takes_s=0.03)],
        [Scripted(name="second", failures=10_000)],
    ]
    assert run_checks([never], patience=replace(_SHORT, limit_s=1.1)).took_s < 1.9, (
        "two limits are 2 s and more"
    )


def test_what_is_waited_for_is_said() -> None:
    said: list[str] = []
    slow: list[Check] = [Scripted(name="rollouts", failures=50), Scripted(name="nodes")]
    run_checks([[slow]], patience=Patience(limit_s=5, interval_s=0.02), say=said.append)
    assert any(text.startswith("rollouts: failure ") for text in said)
    assert not any("nodes" in text for text in said)


@pytest.mark.parametrize("error", [MachineError("no kubectl"), RuntimeError("a defect")])
def test_what_waiting_cannot_cure_ends_the_wait_for_all_at_once(error: Exception) -> None:
    began_s = time.monotonic()
    patient = Patience(limit_s=60, interval_s=0.02)
    with pytest.raises(type(error), match=str(error)):
        run_checks(
            [[[Broken(name="a", error=error)]], [[Scripted(name="b", failures=10**9)]]], patience=patient
        )
    assert time.monotonic() - began_s < 5


def test_an_interruption_ends_the_wait_and_leaves_no_thread() -> None:
    def interrupt(text: str) -> None:
        raise KeyboardInterrupt

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        run_checks([[[Scripted(name="a", failures=10**9)]]], patience=Patience(limit_s=60), say=interrupt)
    assert threading.active_count() == before


def test_an_unhealthy_stack_is_an_error_that_names_every_reason(
    monkeypatch: pytest.MonkeyPatch, kubectl_on_path: Callable[[dict[str, dict[str, object]]], None]
) -> None:
    kubectl_on_path(
        {"get nodes": {"code": 1, "stderr": "nodes refused"}, "get": {"code": 1, "stderr": "planted"}}
    )
    stack = target(ingress=ingress_target(1), monitoring=monitoring_target(1))
    with pytest.raises(UnhealthyError) as caught:
        wait_healthy(stack, kubectl_for(stack.cluster), patience=Patience(limit_s=1.0, interval_s=0.1))
    for words in (
        "not healthy after 1 s",
        "nodes refused",
        "rollouts: ",
        "prometheus: ",
        "could not be asked why",
    ):
        assert words in caught.value.message
    assert "artifacts/diagnostics" not in caught.value.hint, "--artifacts may have named another folder"


def test_answers_are_asked_for_after_the_ingress_knows_every_pod(
    monkeypatch: pytest.MonkeyPatch, kubectl: Kubectl
) -> None:
    """Asked beside it alone they would be those of the pods it knew before."""
    asked: list[list[list[str]]] = []

    def noted(tracks: Sequence[Steps], last: Sequence[Check], **_: object) -> HealthReport:
        asked.extend([[check.name for check in step] for step in steps] for steps in [*tracks, [last]])
        return HealthReport(took_s=0, checks=())

    monkeypatch.setattr(gate, "run_checks", noted)
    foo, bar = target().apps
    scaled = replace(
        foo,
        autoscaler=AutoscalerTarget(
            min_replicas=1, max_replicas=3, target_cpu_percent=50, scale_up_stabilization_s=0
        ),
    )
    wait_healthy(replace(target(), apps=(scaled, bar)), kubectl, [Scripted(name="tunnel")])
    *others, known, last = asked
    assert [[["nodes"]], [["prometheus"]], [["way to the ingress's own words"]]] == others
    hosts = ["foo.localhost", "bar.localhost"]
    through = ["pods known to the ingress", *(f"first answer of {host}" for host in hosts)]
    assert [["autoscalers"], ["rollouts"], ["tunnel"], through] == known
    assert [[f"answers of {host}" for host in hosts]] == last
