"""Under load an autoscaled app gets more replicas, and the report says when; one with no need gets none."""

import json
from typing import Any

import pytest

from tests.e2e.workspace import Workspace

pytestmark = pytest.mark.cluster

# A hundred users and their 200 requests a second for both apps are many times what foo's autoscaler allows a
# replica, and never what bar's does.
LOAD = {
    "load_engine": "locust",
    "load_profile": "users",
    "load_users": 100,
    "load_spawn_rate_per_s": 100,
    "load_duration_s": 22,
    # Else up to 15 s pass before an autoscaler looks at what metrics-server saw up to 10 s before.
    "cluster_autoscaling_sync_s": 3,
    "cluster_workers": 1,
}
REACHED = {"max_replicas": 3, "target_cpu_percent": 50}
NEVER_REACHED = {"max_replicas": 3, "target_cpu_percent": 1000}


def test_load_scales_what_has_reached_its_target_and_nothing_else(own_workspace: Workspace) -> None:
    workspace = own_workspace
    workspace.configure(
        apps=[
            _app("foo", cpu_request="10m", autoscaler=REACHED),
            _app("bar", cpu_request="500m", autoscaler=NEVER_REACHED),
        ],
        **LOAD,
    )

    done = workspace.loadtest("pipeline")

    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((workspace.artifacts / "report.json").read_text())
    foo, bar = report["resources"]["replicas"]
    _assert_scaled(foo, most=3, duration_s=22)
    assert [{"at_s": 0, "replicas": 1}] == bar["ready"], "the same load, a target that is never reached"
    assert bar["first_new_created_s"] is bar["first_new_ready_s"] is None
    texts = [(workspace.artifacts / name).read_text() for name in ("report.md", "comment.md")]
    assert all("Replicas during the load" in text for text in texts)
    workspace.assert_nothing_left()


def _assert_scaled(history: dict[str, Any], *, most: int, duration_s: int) -> None:
    first, *later = history["ready"]
    assert {"at_s": 0, "replicas": 1} == first, "without load there was one"
    assert later, f"no replica was added within {duration_s} s: {history}"
    assert 2 <= later[-1]["replicas"] <= most
    assert 0 < history["first_new_created_s"] <= history["first_new_ready_s"] == later[0]["at_s"]
    assert later[-1]["at_s"] <= duration_s + 1


def _app(name: str, **settings: object) -> dict[str, object]:
    return {
        "name": name,
        "host": f"{name}.localhost",
        "image": "hashicorp/http-echo:1.0.0",
        "args": ["-listen=:5678", f"-text={name}"],
        "port": 5678,
        "expected_body": name,
        **settings,
    }
