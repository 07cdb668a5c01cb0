"""What a locust process may be told, with whatever a test is about changed."""

from typing import Any

from loadtest.engines.locust.runner.job import App, Job


def job(**changed: Any) -> Job:
    fields = {
        "base_url": "http://127.0.0.1:80",
        "apps": (App(host="foo", path="/", expected_body="foo"),),
        "users": 1,
        "spawn_rate_per_s": 1,
        "wait_min_s": 0,
        "wait_max_s": 0,
        "duration_s": 1,
        "timeout_s": 1,
        "seed": 1,
        "locustfile": None,
        "web_port": None,
    }
    return Job(**fields | changed)
