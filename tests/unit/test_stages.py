"""Every stage is timed and remembered, whatever becomes of it."""

import pytest

from loadtest.errors import DeployError, LoadTestError
from loadtest.report.model import StageTiming
from loadtest.stages import Stages


class Recorder:
    def __init__(self) -> None:
        self.heard: list[str] = []

    def begin(self, stage: str) -> None:
        self.heard.append(f"begin {stage}")

    def say(self, text: str) -> None:
        self.heard.append(f"say {text}")

    def end(self, timing: StageTiming) -> None:
        self.heard.append(f"end {timing.stage} {timing.outcome}")

    def note(self, text: str) -> None:
        self.heard.append(f"note {text}")

    def error(self, error: LoadTestError) -> None:
        self.heard.append(f"error {error}")


def test_a_stage_is_announced_timed_and_remembered() -> None:
    recorder, ticks = Recorder(), iter([10.0, 12.5])
    stages = Stages(recorder, clock_s=lambda: next(ticks))

    with stages.stage("up") as say:
        say("half-way")

    assert recorder.heard == ["begin up", "say half-way", "end up ok"]
    assert stages.timings == (StageTiming(stage="up", duration_s=2.5, outcome="ok"),)


def test_a_stage_that_fails_is_remembered_as_failed() -> None:
    recorder = Recorder()
    stages = Stages(recorder)

    with pytest.raises(DeployError), stages.stage("up"):
        raise DeployError("planted")

    assert recorder.heard == ["begin up", "end up failed"]
    assert [one.outcome for one in stages.timings] == ["failed"]


class ClosedTerminal(Recorder):
    def begin(self, stage: str) -> None:
        raise OSError("planted")

    end = say = note = error = begin  # type: ignore[assignment]


def test_a_terminal_that_was_closed_stops_nothing() -> None:
    stages = Stages(ClosedTerminal())

    with stages.stage("destroy") as say:
        say("going on")
    stages.note("a word")
    stages.error(DeployError("another"))

    assert [one.outcome for one in stages.timings] == ["ok"]


def test_before_a_stage_whoever_wants_to_stop_the_run_is_asked() -> None:
    def stop() -> None:
        raise DeployError("planted")

    stages = Stages(Recorder())
    stages.checkpoint = stop
    with pytest.raises(DeployError), stages.stage("up"):
        pytest.fail("the stage must not begin")
    assert stages.timings == ()
