"""Events happen at their second, in real threads and real time, and nothing of them stays behind."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from loadtest.chaos import executor
from loadtest.chaos.executor import Chaos, chaos_during
from loadtest.chaos.model import Action, ChaosEvent
from loadtest.errors import ChaosError

# What a thread may wait for its turn on a busy machine.
LATE_S = 0.4


@dataclass
class Victim:
    """Notes what is done to it and when; it refuses the step `fails_at`, and each takes `takes_s`."""

    victim: str = "pod apps/foo-1"
    fails_at: str = ""
    takes_s: float = 0.0
    steps: list[tuple[str, float]] = field(default_factory=list)

    def aim(self, event: ChaosEvent) -> "Victim":
        self._step("aim")
        return self

    def strike(self) -> None:
        self._step("strike")

    def undo(self) -> None:
        self._step("undo")

    def _step(self, name: str) -> None:
        self.steps.append((name, time.monotonic()))
        time.sleep(self.takes_s)
        if self.fails_at == name:
            raise ChaosError(f"planted: no {name}")

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.steps]

    def at_s(self, name: str, began_s: float) -> float:
        return next(at_s for step, at_s in self.steps if step == name) - began_s


def event(at_s: float, *, action: Action = Action.FREEZE, duration_s: float | None = None) -> ChaosEvent:
    return ChaosEvent(at_s=at_s, action=action, target="app/foo", duration_s=duration_s)


def load(
    victim: Victim, events: Sequence[ChaosEvent], *, lasts_s: float, warm_up_s: float = 0.0
) -> tuple[Chaos, float]:
    with chaos_during(events, victim.aim) as chaos:
        time.sleep(warm_up_s)
        began_s = time.monotonic()
        chaos.begin()
        time.sleep(lasts_s)
    return chaos, began_s


def test_an_event_happens_at_its_second_of_the_window_and_is_undone_when_it_is_over() -> None:
    victim = Victim()
    chaos, began_s = load(victim, [event(0.2, duration_s=0.3)], lasts_s=0.8, warm_up_s=0.3)
    assert ["aim", "strike", "undo"] == victim.names
    assert 0.2 <= victim.at_s("strike", began_s) < 0.2 + LATE_S
    assert 0.5 <= victim.at_s("undo", began_s) < 0.5 + LATE_S
    (deed,) = chaos.deeds
    assert (None, "pod apps/foo-1") == (deed.problem, deed.victim)
    assert deed.began_unix_ns
    assert deed.undone_unix_ns
    assert abs((deed.undone_unix_ns - deed.began_unix_ns) / 1e9 - 0.3) < LATE_S


def test_whom_it_hits_is_found_out_before_its_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor, "_AIM_AHEAD_S", 0.3)
    victim = Victim(takes_s=0.2)
    _, began_s = load(victim, [event(0.5)], lasts_s=0.8)
    assert 0.2 <= victim.at_s("aim", began_s) < 0.2 + LATE_S
    assert 0.5 <= victim.at_s("strike", began_s) < 0.5 + LATE_S


def test_events_that_overlap_do_not_wait_for_each_other() -> None:
    victim = Victim()
    chaos, _ = load(victim, [event(0.1, duration_s=0.5), event(0.2, duration_s=0.1)], lasts_s=0.8)
    first, second = chaos.deeds
    assert first.undone_unix_ns
    assert second.undone_unix_ns
    assert second.undone_unix_ns < first.undone_unix_ns


def test_what_is_for_good_is_not_undone() -> None:
    chaos, _ = load(Victim(), [event(0.0, action=Action.KILL)], lasts_s=0.3)
    (deed,) = chaos.deeds
    assert (None, None) == (deed.problem, deed.undone_unix_ns)


def test_what_has_no_end_of_its_own_lasts_until_the_load_ends() -> None:
    victim = Victim()
    _, began_s = load(victim, [event(0.0)], lasts_s=0.4)
    assert 0.4 <= victim.at_s("undo", began_s) < 0.4 + LATE_S


def test_a_load_that_ends_first_cancels_what_is_still_to_come_and_it_is_said() -> None:
    victim = Victim()
    chaos, _ = load(victim, [event(60.0), event(1.5)], lasts_s=0.2)
    assert ["aim", "undo"] == victim.names, "the second was aimed at already"
    assert ["the load ended before it was due"] * 2 == [deed.problem for deed in chaos.deeds]
    assert [None, None] == [deed.began_unix_ns for deed in chaos.deeds]


def test_a_load_that_fails_has_what_is_under_way_undone_at_once() -> None:
    victim = Victim()
    started_s = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        _interrupted_load(victim)
    assert ["aim", "strike", "undo"] == victim.names
    assert time.monotonic() - started_s < 10.0


def _interrupted_load(victim: Victim) -> None:
    with chaos_during([event(0.0, duration_s=60.0)], victim.aim) as chaos:
        chaos.begin()
        time.sleep(0.2)
        raise KeyboardInterrupt


def test_a_load_that_never_begins_is_left_alone() -> None:
    victim = Victim()
    with chaos_during([event(0.0)], victim.aim):
        time.sleep(0.2)
    assert "strike" not in victim.names


@pytest.mark.parametrize(
    ("fails_at", "steps"),
    [("aim", ["aim"]), ("strike", ["aim", "strike", "undo"]), ("undo", ["aim", "strike", "undo"])],
)
def test_an_event_that_fails_is_told_of_and_fails_nothing_else(fails_at: str, steps: list[str]) -> None:
    victim = Victim(fails_at=fails_at)
    chaos, _ = load(victim, [event(0.0, duration_s=0.1)], lasts_s=0.3)
    (deed,) = chaos.deeds
    assert f"planted: no {fails_at}" == deed.problem
    assert steps == victim.names
    assert (fails_at == "undo") == (deed.began_unix_ns is not None)


def test_putting_right_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor, "_PUTTING_RIGHT_S", 0.2)
    victim = Victim(takes_s=5.0)
    started_s = time.monotonic()
    chaos, _ = load(victim, [event(0.0)], lasts_s=0.1)
    assert time.monotonic() - started_s < 4.0
    (deed,) = chaos.deeds
    assert deed.problem
    assert "it was not over" in deed.problem
