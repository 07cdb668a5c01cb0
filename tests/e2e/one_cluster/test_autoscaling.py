"""Under load an autoscaled app gets more replicas, and the report says when; one with no need gets none."""

from typing import Any

import pytest

from tests.e2e.one_cluster.conftest import PutUp, after_a_run, echo_app
from tests.e2e.workspace import Workspace

pytestmark = pytest.mark.cluster

# A hundred users and their 200 requests a second for both apps are many times what one autoscaler allows a
# replica, and never what the other does. No other module has apps of these names: one with an autoscaler says
# no number of replicas itself, and would keep what that module gave it.
BUSY, IDLE = "busy", "idle"
LOAD = {
    "load_engine": "locust",
    "load_profile": "users",
    "load_users": 100,
    "load_spawn_rate_per_s": 100,
    "load_duration_s": 22,
}
REACHED = {"max_replicas": 3, "target_cpu_percent": 50}
NEVER_REACHED = {"max_replicas": 3, "target_cpu_percent": 1000}


@pytest.fixture(scope="module")
def loaded(put_up: PutUp) -> Workspace:
    """After one run, which every test here looks at."""
    busy = echo_app(BUSY, cpu_request="10m", autoscaler=REACHED)
    idle = echo_app(IDLE, cpu_request="500m", autoscaler=NEVER_REACHED)
    return after_a_run(put_up(apps=[busy, idle], **LOAD))


def test_load_adds_replicas_of_an_app_beyond_its_target(report: dict[str, Any]) -> None:
    history = _history(report, BUSY)
    first, *later = history["ready"]
    assert {"at_s": 0, "replicas": 1} == first, "without load there was one"
    assert later, f"no replica was added: {history}"
    assert 2 <= later[-1]["replicas"] <= REACHED["max_replicas"]
    assert 0 < history["first_new_created_s"] <= history["first_new_ready_s"] == later[0]["at_s"]
    assert later[-1]["at_s"] <= LOAD["load_duration_s"] + 1


def test_the_same_load_adds_none_of_an_app_below_its_target(report: dict[str, Any]) -> None:
    history = _history(report, IDLE)
    assert [{"at_s": 0, "replicas": 1}] == history["ready"]
    assert history["first_new_created_s"] is history["first_new_ready_s"] is None


def test_the_report_says_so_in_words(loaded: Workspace) -> None:
    for name in ("report.md", "comment.md"):
        assert "Replicas during the load" in (loaded.artifacts / name).read_text()


def test_grafana_shows_the_load_or_is_said_not_to_and_the_run_passes_all_the_same(
    report: dict[str, Any], loaded: Workspace
) -> None:
    missing = [one for one in report["resources"]["problems"] if one.startswith("Grafana does not show")]
    assert bool(missing) is (report["resources"]["dashboard_url"] is None)
    text = (loaded.artifacts / "report.md").read_text()
    assert ("Grafana does not show the load" if missing else "The same as curves") in text


def _history(report: dict[str, Any], app: str) -> dict[str, Any]:
    [history] = [one for one in report["resources"]["replicas"] if one["app"] == app]
    return dict(history)
