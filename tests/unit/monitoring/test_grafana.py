"""Where Grafana shows a load, or why it does not."""

from typing import Any

import msgspec

from loadtest.cluster.objects import Pod
from loadtest.monitoring.grafana import with_dashboard
from loadtest.monitoring.model import ResourceUsage
from loadtest.target import GrafanaTarget
from tests.unit.monitoring.values import window

GRAFANA = GrafanaTarget(namespace="grafana", address="127.0.0.1", port=30030, path="/d/loadproof")
USAGE = ResourceUsage(window=window(100, 130.5), scrape_interval_s=2.0, scopes=(), problems=("as before",))


def pod(namespace: str = "grafana", ready: str = "True", **status: Any) -> Pod:
    condition = {"type": "Ready", "status": ready, "lastTransitionTime": "2026-06-01T09:00:00Z"}
    document = {
        "metadata": {"name": "grafana-1", "namespace": namespace},
        "status": {"phase": "Running", "conditions": [condition], **status},
    }
    return msgspec.convert(document, Pod)


def test_a_stack_without_one_says_nothing_of_it() -> None:
    assert with_dashboard(USAGE, None, [pod()]) is USAGE


def test_one_that_is_ready_shows_the_window_and_ten_seconds_around_it() -> None:
    usage = with_dashboard(USAGE, GRAFANA, [pod()])
    assert usage.dashboard_url == "http://127.0.0.1:30030/d/loadproof?from=90000&to=140500"
    assert usage.problems == ("as before",)


def test_one_whose_image_cannot_be_had_is_said_to_be_missing_and_why() -> None:
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "no such host"}}
    stuck = pod(ready="False", containerStatuses=[{"name": "grafana", "state": waiting}])
    usage = with_dashboard(USAGE, GRAFANA, [stuck])
    assert usage.dashboard_url is None
    assert usage.problems[:-1] == (
        "Grafana does not show the load: pod grafana/grafana-1: container grafana: ImagePullBackOff no such "
        "host",
    )


def test_one_without_a_pod_is_missing_too_whatever_else_is_ready() -> None:
    usage = with_dashboard(USAGE, GRAFANA, [pod("apps")])
    assert usage.dashboard_url is None
    assert usage.problems[:-1] == ("Grafana does not show the load: it has no pod",)
