"""A load that comes from inside the cluster: pods send it, every request is a sample, and no pod is left.

A chapter of `test_by_hand`, on the stack that is up there.
"""

from textwrap import dedent
from typing import Any

from tests.e2e.workspace import Workspace, wait_until

USERS = {
    "load_engine": "locust",
    "load_profile": "users",
    "load_users": 6,
    "load_spawn_rate_per_s": 6,
    "load_wait_min_s": "0.05",
    "load_wait_max_s": "0.1",
    "load_duration_s": 3,
    "load_locust_workers": 2,
}
THEIRS = """
    from locust import FastHttpUser, constant, task

    class Theirs(FastHttpUser):
        wait_time = constant(0.05)

        @task
        def ask(self):
            self.client.get("/", headers={"Host": "foo.localhost"})
"""


def pods_send_the_load(workspace: Workspace) -> None:
    """Their image, which no registry has, gets into the node that is there."""
    workspace.configure(**USERS)
    up = workspace.pulumi("up", "--yes", "--skip-preview")
    assert up.returncode == 0, up.stdout + up.stderr
    _planned_users_are_spread_over_the_workers(workspace)
    _a_locustfile_goes_along(workspace)
    _no_pod_is_left(workspace)


def _planned_users_are_spread_over_the_workers(workspace: Workspace) -> None:
    report = _run(workspace)
    combined = _combined(report)
    # 6 users, 3 seconds, a request every 0.05 to 0.1 seconds and what it takes
    assert 6 * 3 / 0.2 < combined["requests"] < 6 * 3 / 0.05
    assert combined["requests"] == combined["succeeded"]
    assert {"foo.localhost", "bar.localhost"} == set(report["summary"]["arms"][0]["hosts"])
    generator = report["generator"]
    assert ("locust", 6) == (generator["engine"], generator["connections_opened"])
    assert 0 < generator["cpu_s"] < 2 * 3
    assert "2 workers in the cluster" in generator["notes"][0]
    assert "clocks" in generator["notes"][1]


def _a_locustfile_goes_along(workspace: Workspace) -> None:
    (workspace.root / "theirs.py").write_text(dedent(THEIRS))
    report = _run(workspace, "--locustfile", "theirs.py", "--duration", "1.5", "--users", "2")
    assert {"foo.localhost"} == set(report["summary"]["arms"][0]["hosts"])
    assert _combined(report)["succeeded"] > 10


def _no_pod_is_left(workspace: Workspace) -> None:
    kubectl = ("kubectl", "--kubeconfig", str(workspace.kubeconfig))

    def gone() -> bool:
        found = workspace.run(*kubectl, "get", "namespace", "load", "--ignore-not-found", "--output", "name")
        assert found.returncode == 0, found.stderr
        return not found.stdout

    wait_until(gone, timeout_s=20, what="the namespace of the pods that sent the load to go")


def _run(workspace: Workspace, *flags: str) -> dict[str, Any]:
    done = workspace.loadtest("run", *flags)
    assert done.returncode == 0, done.stdout + done.stderr
    return workspace.report()


def _combined(report: dict[str, Any]) -> dict[str, Any]:
    combined: dict[str, Any] = report["summary"]["arms"][0]["combined"]
    return combined
