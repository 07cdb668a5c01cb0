"""Whatever becomes of the work, it is explained, and everything is taken down."""

import json
from dataclasses import replace

import pytest

from loadtest import measurement, pipeline
from loadtest.errors import UnhealthyError, UsageError
from loadtest.exit_codes import ExitCode
from loadtest.stages import Stages
from tests.integration.pipeline.conftest import CONTAINERS, Bench
from tests.integration.pipeline.test_check import FACTS, program_says
from tests.unit.test_stages import Recorder


def run(bench: Bench, **load_flags: int) -> ExitCode:
    job = replace(bench.job, load_flags=load_flags)
    return pipeline.run_pipeline(job, Stages(Recorder()), keep=False)


@pytest.fixture(autouse=True)
def _a_stack_that_can_be_checked(bench: Bench) -> None:
    program_says(bench, FACTS | {"kubeconfig_path": str(bench.kubeconfig)})


def verbs(bench: Bench) -> list[str]:
    return [arguments[0] for arguments in bench.pulumi.asked()]


def test_a_failed_deployment_is_explained_and_taken_down(bench: Bench) -> None:
    words = "Updating\nDiagnostics:\n  planted: the image is not there\n"
    bench.pulumi.answers({"up": {"code": 255, "stdout": words}, "": {}})

    assert run(bench) is ExitCode.DEPLOY_FAILED

    assert verbs(bench) == ["up", "destroy"]
    assert "the image is not there" in bench.job.artifacts.report("comment").read_text()
    report = json.loads(bench.job.artifacts.report("json").read_text())
    assert (report["kind"], report["stage"]) == ("failed", "up")


def test_a_defect_is_taken_down_after_and_is_no_missed_objective(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("planted")

    monkeypatch.setattr(measurement, "measure", fail)
    monkeypatch.setattr(pipeline, "_target", lambda stack: None)

    assert run(bench) is ExitCode.INCONCLUSIVE
    assert verbs(bench) == ["up", "destroy"]


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


def test_a_wrong_flag_is_told_before_anything_is_created(bench: Bench) -> None:
    with pytest.raises(UsageError, match="requests is 0"):
        run(bench, requests=0)
    assert verbs(bench) == []
