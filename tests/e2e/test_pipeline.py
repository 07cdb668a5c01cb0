"""The one command for all of it, on a real cluster."""

import json
from pathlib import Path

import jsonschema
import pytest

from tests.e2e.workspace import PROJECT, Workspace

pytestmark = pytest.mark.cluster

STAGES = ["check", "up", "health", "load", "monitor", "report", "comment", "destroy"]


def test_a_run_measures_reports_explains_itself_and_leaves_nothing(own_workspace: Workspace) -> None:
    workspace = own_workspace
    before = workspace.stack_file.read_bytes()

    done = workspace.loadtest("pipeline", "--requests", "2000")

    assert done.returncode == 0, done.stdout + done.stderr
    report = workspace.report()
    jsonschema.validate(report, json.loads((PROJECT / "docs" / "report.schema.json").read_text()))
    combined = report["summary"]["arms"][0]["combined"]
    assert combined["requests"] == 2000
    assert combined["succeeded"] == 2000, "the echo apps answer every request rightly"
    assert report["verdict"]["status"] == "passed"
    _assert_resources_were_measured(report)
    timings = json.loads((workspace.artifacts / "timings.json").read_text())
    assert [one["stage"] for one in timings["stages"]] == STAGES
    assert {one["outcome"] for one in timings["stages"]} == {"ok"}
    assert "foo.localhost" in (workspace.artifacts / "comment.md").read_text()
    assert workspace.stack_file.read_bytes() == before, "a run changes no file of the project"
    _assert_no_key_in(workspace.artifacts, done.stdout + done.stderr)
    workspace.assert_nothing_left()
    _assert_report_can_be_made_again(workspace, report)


def _assert_resources_were_measured(report: dict[str, object]) -> None:
    scopes = {one["scope"]: one for one in report["resources"]["scopes"]}  # type: ignore[index,call-overload]
    assert set(scopes) == {"foo", "bar", "ingress", "cluster"}
    for name, scope in scopes.items():
        for figure in ("cpu_cores", "memory_bytes", "running_pods"):
            assert scope[figure]["samples"] > 0, f"{figure} of {name} has no samples: {report['resources']}"
        assert scope["cpu_seconds"] is not None, name
    assert scopes["cluster"]["memory_bytes"]["average"] > scopes["foo"]["memory_bytes"]["average"]
    assert scopes["foo"]["running_pods"]["maximum"] == 2


def _assert_no_key_in(folder: Path, printed: str) -> None:
    texts = {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    for name, text in {**texts, "the terminal": printed.encode()}.items():
        assert b"client-key-data" not in text, f"the kubeconfig shows in {name}"


def _assert_report_can_be_made_again(workspace: Workspace, report: dict[str, object]) -> None:
    again = workspace.loadtest("report")
    assert again.returncode == 0, again.stderr
    assert workspace.report() == report
    timings = json.loads((workspace.artifacts / "timings.json").read_text())
    assert [one["stage"] for one in timings["stages"]] == STAGES, "the run's timings stay"
