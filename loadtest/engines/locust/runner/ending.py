"""How a load ends: on time, with every request that is under way answered or timed out."""

import sys
from typing import Any

import gevent
from locust.env import Environment
from locust.runners import Runner

from loadtest.engines.locust.runner.job import Job


def end_on_time(environment: Environment, job: Job) -> None:
    """Called when the load begins."""
    if job.duration_s is not None:
        gevent.spawn_later(job.duration_s, _end, environment)


def _end(environment: Environment) -> None:
    runner = _runner(environment)
    runner.stop()
    runner.quit()
    if environment.web_ui is not None:
        environment.web_ui.stop()


def refuse_what_never_ends(environment: Environment, job: Job) -> None:
    """Called when the locustfile is loaded."""
    if job.duration_s is None and environment.shape_class is None:
        sys.exit("The locustfile has no LoadTestShape: say with --duration how long it is to run.")


def failures_of(environment: Environment) -> list[dict[str, Any]]:
    """What tasks of a locustfile raised: that is no request, and so would be in no record."""
    return [
        {"count": one["count"], "message": one["msg"]} for one in _runner(environment).exceptions.values()
    ]


def _runner(environment: Environment) -> Runner:
    assert environment.runner is not None, "a load that began has a runner"
    return environment.runner
