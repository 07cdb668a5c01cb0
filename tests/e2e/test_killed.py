"""A run that is ended from outside, gently or not: nothing is left behind."""

import contextlib
import signal

import psutil
import pytest

from loadtest.exit_codes import ExitCode
from tests.e2e.workspace import Workspace, wait_until
from tests.waiting import comes_true, runs

pytestmark = pytest.mark.cluster


def test_a_run_asked_to_stop_while_the_cluster_is_made_leaves_nothing(own_workspace: Workspace) -> None:
    workspace = own_workspace
    workspace.configure(cluster_workers=0)
    pipeline = workspace.start_pipeline()
    wait_until(lambda: bool(workspace.containers()), timeout_s=120, what="the first container of the cluster")

    pipeline.send_signal(signal.SIGTERM)

    assert pipeline.wait(timeout=180) == 130
    workspace.assert_nothing_left()
    assert "interrupted" in (workspace.artifacts / "comment.md").read_text()


def test_a_pulumi_killed_before_its_state_is_written_leaves_nothing(own_workspace: Workspace) -> None:
    workspace = own_workspace
    workspace.configure(cluster_workers=0)
    run = workspace.start_pipeline()
    found: list[psutil.Process] = []

    def found_one() -> bool:
        with contextlib.suppress(psutil.NoSuchProcess):  # another one, gone just now
            found.extend(kubernetes_plugins(run.pid))
        return bool(found)

    # All that comes after it takes two seconds.
    wait_until(found_one, timeout_s=300, what="the plugin that puts objects into the cluster", pause_s=0.05)
    plugin = found[0]
    plugin.parent().kill()

    assert run.wait(timeout=180) == ExitCode.DEPLOY_FAILED
    workspace.assert_nothing_left()
    assert comes_true(lambda: not runs(plugin.pid)), "a plugin outlives its engine"


def kubernetes_plugins(pid: int) -> list[psutil.Process]:
    return [
        one
        for one in psutil.Process(pid).children(recursive=True)
        if one.name().startswith("pulumi-resource-kub")
    ]


def test_a_run_killed_under_load_is_cleaned_up_by_its_guard(own_workspace: Workspace) -> None:
    workspace = own_workspace
    workspace.configure(cluster_workers=0)
    log = workspace.artifacts / "logs" / "loadtest.jsonl"
    pipeline = workspace.start_pipeline("--requests", "1000000")
    wait_until(
        lambda: log.exists() and any(workspace.artifacts.glob("samples/part-*")),
        timeout_s=300,
        what="the first samples",
    )
    assert workspace.containers(), "the cluster is up while it is loaded"

    pipeline.kill()
    pipeline.wait(timeout=10)

    wait_until(lambda: not workspace.containers(), timeout_s=180, what="the guard to delete the cluster")
    wait_until(lambda: not workspace.resources_in_state(), timeout_s=60, what="the guard to empty the state")
    wait_until(lambda: not workspace.copies_of_kubeconfig(), timeout_s=30, what="the guard to end")
    workspace.assert_nothing_left()
