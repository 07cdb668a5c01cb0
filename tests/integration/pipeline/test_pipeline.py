"""Whatever becomes of the work, it is explained, and everything is taken down."""

import json
import os
import signal
from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest

from loadtest import measurement, pipeline, results, sample_store
from loadtest.check import CheckError
from loadtest.cluster import existing
from loadtest.errors import UnhealthyError
from loadtest.exit_codes import ExitCode
from loadtest.stages import Stages
from tests.integration.pipeline.conftest import CONTAINERS, NEVER_BEGUN, Bench
from tests.integration.pipeline.test_check import FACTS, program_says
from tests.unit.test_sample_store import SAMPLE
from tests.unit.test_stages import Recorder

SKIP_CHECKPOINTS = "PULUMI_SKIP_CHECKPOINTS"


def run(bench: Bench, *, keep: bool = False, progress: Recorder | None = None, **flags: int) -> ExitCode:
    job = replace(bench.job, load_flags=flags)
    return pipeline.run_pipeline(job, Stages(progress or Recorder()), keep=keep)


def interrupt(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGTERM)


@pytest.fixture(autouse=True)
def _a_stack_that_can_be_checked(bench: Bench) -> None:
    program_says(bench, FACTS | {"claims": str(bench.kubeconfig.parent)})


def verbs(bench: Bench) -> list[str]:
    return [arguments[0] for arguments in bench.pulumi.asked()]


def test_a_failed_deployment_is_explained_and_taken_down(bench: Bench) -> None:
    words = "Updating\nDiagnostics:\n  planted: the image is not there\n"
    bench.pulumi.answers({"up": {"code": 255, "stdout": words}, "": {}})

    assert run(bench) is ExitCode.DEPLOY_FAILED

    assert verbs(bench) == ["up", "stack", "destroy"]
    assert "the image is not there" in bench.job.artifacts.report("comment").read_text()
    report = json.loads(bench.job.artifacts.report("json").read_text())
    assert (report["kind"], report["stage"]) == ("failed", "up")


def test_the_state_is_written_at_the_end_where_all_goes_with_a_cluster_of_kinds(bench: Bench) -> None:
    run(bench)
    assert {"up": "true", "destroy": "true"}.items() <= bench.pulumi.settings(SKIP_CHECKPOINTS).items()


@pytest.mark.parametrize(("provider", "stays"), [("existing", True), ("another", False)])
def test_where_nobody_finds_the_cluster_by_its_name_every_step_is_kept(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, provider: str, stays: bool
) -> None:
    monkeypatch.setattr(existing, "problems", lambda *_, **__: ())
    in_another = FACTS["cluster"] | {"provider": provider, "context": "staging", "stays": stays}
    program_says(bench, FACTS | {"cluster": in_another})
    run(bench)
    assert bench.pulumi.settings(SKIP_CHECKPOINTS)["up"] == "false"


def test_a_stack_that_somebody_deployed_is_taken_down_step_by_step(bench: Bench) -> None:
    pipeline.destroy_leftovers(bench.job, Stages(Recorder()))
    assert bench.pulumi.settings(SKIP_CHECKPOINTS)["destroy"] == "false"


def test_a_stack_whose_state_was_never_begun_is_told_what_does(bench: Bench) -> None:
    bench.pulumi.answers(NEVER_BEGUN)

    assert run(bench) is ExitCode.DEPLOY_FAILED

    assert "begins its state" in bench.job.artifacts.report("comment").read_text()
    assert verbs(bench) == ["up", "stack", "destroy"], "there is nothing to forget"


def test_a_defect_is_taken_down_after_and_is_no_missed_objective(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("planted")

    monkeypatch.setattr(measurement, "measure", fail)
    monkeypatch.setattr(pipeline, "_target", lambda stack: None)

    assert run(bench) is ExitCode.INCONCLUSIVE
    assert verbs(bench) == ["up", "stack", "destroy"]


def test_a_failed_verdict_and_something_left_behind_end_as_left_behind(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        # From here on there is a cluster that nobody can delete.
        bench.docker.answers({"ps": {"stdout": CONTAINERS}})
        bench.kubeconfig.touch()
        raise UnhealthyError("planted")

    monkeypatch.setattr(measurement, "measure", fail)
    monkeypatch.setattr(pipeline, "_target", lambda stack: None)

    assert run(bench) is ExitCode.CLEANUP_INCOMPLETE
    assert "planted" in bench.job.artifacts.report("comment").read_text()


@pytest.mark.parametrize("way", [run, lambda bench: pipeline.checked(bench.job, Stages(Recorder()))])
def test_what_keeps_a_run_from_beginning_is_its_report(bench: Bench, way: Callable[[Bench], object]) -> None:
    program_says(bench, FACTS | {"problems": ["planted: no such app"]})
    with pytest.raises(CheckError):
        way(bench)
    told = bench.job.artifacts.report("comment").read_text()
    assert "Not measured: wrong use or configuration" in told
    assert "planted&#58; no such app" in told or "planted: no such app" in told


def test_a_check_that_fails_leaves_an_earlier_runs_report_alone(bench: Bench) -> None:
    program_says(bench, FACTS | {"problems": ["planted"]})
    earlier = bench.job.artifacts.report("json")
    earlier.parent.mkdir()
    earlier.write_text("{}")
    with pytest.raises(CheckError):
        pipeline.checked(bench.job, Stages(Recorder()))
    assert earlier.read_text() == "{}"


def test_a_wrong_flag_is_told_before_anything_is_created(bench: Bench) -> None:
    with pytest.raises(CheckError, match="requests is 0"):
        run(bench, requests=0)
    assert verbs(bench) == []


def test_an_interrupt_is_explained_posted_and_taken_down_after(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measurement, "measure", interrupt)
    monkeypatch.setattr(pipeline, "_target", lambda stack: None)
    recorder = Recorder()

    assert run(bench, progress=recorder) is ExitCode.INTERRUPTED

    assert verbs(bench) == ["up", "stack", "destroy"]
    assert "interrupted by SIGTERM" in bench.job.artifacts.report("comment").read_text()
    assert "end comment ok" in recorder.heard


def defect(*_: object) -> None:
    raise UnhealthyError("planted")


@pytest.mark.parametrize(("ending", "stage"), [(interrupt, "interrupted by SIGTERM"), (defect, "planted")])
def test_what_was_kept_of_a_load_that_was_cut_short_is_shown_at_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, ending: Callable[[], None], stage: str
) -> None:
    def measure(*_: object) -> None:
        with sample_store.writer(bench.job.artifacts.samples) as writer:
            for sample in (
                msgspec.structs.replace(SAMPLE, latency_ns=latency_ms * 1_000_000)
                for latency_ms in range(1, 31)
            ):
                writer.append(sample)
            ending()

    monkeypatch.setattr(measurement, "measure", measure)
    monkeypatch.setattr(pipeline, "_target", lambda stack: None)
    run(bench)
    told = bench.job.artifacts.report("comment").read_text()
    assert "Cut short: figures of a part of the load" in told
    assert stage in told
    report = json.loads(bench.job.artifacts.report("json").read_text())
    assert report["summary"]["arms"][0]["combined"]["latency"]["p50_ms"] == 15.0


@pytest.mark.parametrize("moment", ["_deploy_and_measure", "_explain"])
def test_an_interrupt_with_something_left_behind_ends_as_left_behind(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    bench.pulumi.answers({"up": {"code": 255}, "": {}})
    monkeypatch.setattr(pipeline, moment, interrupt)
    real = pipeline.comment

    def comment(*arguments: object) -> None:
        bench.docker.answers({"ps": {"stdout": CONTAINERS}})
        bench.kubeconfig.touch()
        real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(pipeline, "comment", comment)

    assert run(bench) is ExitCode.CLEANUP_INCOMPLETE


@pytest.mark.parametrize("broken", ["save_failure", "publish"])
def test_a_failure_that_cannot_be_explained_is_taken_down_after(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def fail(*_: object) -> None:
        raise OSError("planted: no space left")

    bench.pulumi.answers({"up": {"code": 255}, "": {}})
    monkeypatch.setattr(results, broken, fail)

    with pytest.raises(OSError, match="planted"):
        run(bench)
    assert verbs(bench) == ["up", "stack", "destroy"]


def test_a_defect_while_cleaning_up_is_a_clean_up_that_failed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise PermissionError("planted")

    bench.pulumi.answers({"up": {"code": 255}, "": {}})
    monkeypatch.setattr(pipeline, "destroy", fail)

    assert run(bench) is ExitCode.CLEANUP_INCOMPLETE


def test_signals_while_cleaning_up_do_not_stop_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    real = pipeline.destroy

    def destroy(*arguments: object) -> tuple[str, ...]:
        interrupt()
        return real(*arguments)  # type: ignore[arg-type]

    bench.pulumi.answers({"up": {"code": 255}, "": {}})
    monkeypatch.setattr(pipeline, "destroy", destroy)

    assert run(bench) is ExitCode.DEPLOY_FAILED
    assert verbs(bench) == ["up", "stack", "destroy"]


def test_a_cluster_to_keep_is_kept_and_how_to_reach_it_is_said(bench: Bench) -> None:
    bench.pulumi.answers({"up": {"code": 255}, "": {}})
    recorder = Recorder()

    assert run(bench, keep=True, progress=recorder) is ExitCode.DEPLOY_FAILED

    assert verbs(bench) == ["up"]
    assert any("make destroy STACK=ci" in words for words in recorder.heard)


def test_a_kept_cluster_of_nobodys_kubeconfig_is_reached_by_its_context(bench: Bench) -> None:
    cluster = FACTS["cluster"] | {"provider": "existing", "context": "staging", "kubeconfig_path": None}
    program_says(bench, FACTS | {"cluster": cluster})
    bench.pulumi.answers({"up": {"code": 255}, "": {}})
    recorder = Recorder()

    run(bench, keep=True, progress=recorder)

    assert any("kubectl --context staging get pods" in words for words in recorder.heard)


def test_every_stage_is_in_the_timings_at_the_end(bench: Bench) -> None:
    bench.pulumi.answers({"up": {"code": 255}, "": {}})

    run(bench)

    timings = json.loads(bench.job.artifacts.timings.read_text())
    assert [one["stage"] for one in timings["stages"]] == ["check", "up", "diagnose", "comment", "destroy"]


def test_a_deployed_stack_that_does_not_answer_is_explained_and_left_up(bench: Bench) -> None:
    bench.pulumi.answers({"stack export": {"stdout": '{"deployment": {}}'}, "": {}})

    assert pipeline.run_deployed(bench.job, Stages(Recorder())) is ExitCode.DEPLOY_FAILED

    assert verbs(bench) == ["stack"]
    assert "not deployed" in bench.job.artifacts.report("comment").read_text()


def test_leftovers_are_taken_down_on_their_own(bench: Bench) -> None:
    assert pipeline.destroy_leftovers(bench.job, Stages(Recorder())) is ExitCode.PASSED
    assert verbs(bench) == ["stack", "destroy"]


def test_nothing_to_post_is_said_and_no_failure(bench: Bench) -> None:
    recorder = Recorder()
    pipeline.comment(bench.job, Stages(recorder))
    assert any("nothing to post" in words for words in recorder.heard)
