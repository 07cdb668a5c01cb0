"""Runs locust for a job: `python -m loadtest.engines.locust.runner ROLE JOB_FILE`.

locust's own command line does it, so that a user's locustfile finds everything as it knows it: shapes, tags,
arguments and events of its own, the web page. What belongs to the load comes from the job alone.
"""

import os
import signal
import sys
from collections.abc import Callable, Mapping
from functools import partial
from math import ceil
from pathlib import Path

import gevent
import locust
from locust import argument_parser
from locust import main as locust_main
from locust.event import Events

from loadtest.engines.locust.runner import locustfile, users
from loadtest.engines.locust.runner.alone import Alone
from loadtest.engines.locust.runner.job import Job, read_job
from loadtest.engines.locust.runner.master import Master
from loadtest.engines.locust.runner.output import Output, take_standard_output
from loadtest.engines.locust.runner.worker import Worker

# A worker hands everything over to its master and has nothing to print.
ROLES: Mapping[str, Callable[[Events, Job, Output], object]] = {
    "alone": Alone,
    "master": Master,
    "worker": lambda events, job, _: Worker(events, job),
}
_WORKERS_S = 120  # may take to come


def main(role: str, job_file: str) -> None:
    output = take_standard_output()
    if role != "worker":  # which has no parent
        _end_with_the_parent()
    job = read_job(Path(job_file))
    users.PlannedUser.job = job
    ROLES[role](locust.events, job, output)
    _take_no_other_settings()
    sys.argv = ["locust", *_arguments(role, job)]
    locust_main.main()


def _arguments(role: str, job: Job) -> list[str]:
    file = ["--locustfile", job.locustfile or locustfile.__file__, "--loglevel", "WARNING"]
    if role == "worker":
        return [*file, "--worker", "--master-host", job.master_host, "--master-port", str(job.master_port)]
    return [*file, *_load_arguments(job), *(_master_arguments(job) if role == "master" else [])]


def _load_arguments(job: Job) -> list[str]:
    # Longer than any request lives, so that none is cut off; users that wait are not waited for.
    stop_timeout_s = ceil(job.timeout_s) + 1
    web = ["--autostart", "--autoquit", "0", "--web-host", "127.0.0.1", "--web-port", str(job.web_port)]
    return [
        *("--host", job.base_url),
        *("--users", str(job.users), "--spawn-rate", str(job.spawn_rate_per_s)),
        *("--stop-timeout", str(stop_timeout_s), "--exit-code-on-error", "0"),
        *("--only-summary", *(web if job.web_port else ["--headless"])),
    ]


def _master_arguments(job: Job) -> list[str]:
    return [
        *("--master", "--master-bind-host", job.master_bind_host, "--master-bind-port", str(job.master_port)),
        *("--expect-workers", str(job.workers), "--expect-workers-max-wait", str(_WORKERS_S)),
    ]


def _take_no_other_settings() -> None:
    """Neither a locust.conf that lies about nor LOCUST_* variables: a load is what its plan says."""
    parser = partial(argument_parser.get_parser, default_config_files=[])
    locust_main.get_parser = parser  # type: ignore[attr-defined]
    for name in [name for name in os.environ if name.startswith("LOCUST_")]:
        del os.environ[name]


def _end_with_the_parent() -> None:
    """Standard input is a pipe on which nothing ever comes; it ends with the process at its other end."""
    waiting = gevent.get_hub().threadpool.spawn(os.read, sys.stdin.fileno(), 1)
    waiting.rawlink(lambda _: os.kill(os.getpid(), signal.SIGKILL))


main(*sys.argv[1:])
