"""The engine `locust`: users who wait between their requests, or those of a user's own locustfile.

locust runs as a program of its own (`runner`); here are its job, its records made into samples, and its end.
A user opens a connection with its first request, as locust's users do: that is part of this one's latency.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from loadtest.engines.locust import pods
from loadtest.engines.locust.in_cluster import in_cluster
from loadtest.engines.locust.job_of import job_of, users_of
from loadtest.engines.locust.locally import locally
from loadtest.engines.locust.notes import notes
from loadtest.engines.locust.reading import Reading
from loadtest.engines.locust.runner.job import Job
from loadtest.engines.locust.watching import watch
from loadtest.engines.open_files import check_open_files
from loadtest.engines.warm_up import warm_up_hosts
from loadtest.load_run import Generator, LoadRun
from loadtest.plan import LoadPlan, Script
from loadtest.sample import Sample
from loadtest.target import TargetEnvironment


@dataclass(frozen=True, kw_only=True)
class LocustEngine:
    """At the end of the time no request begins any more; those under way are waited for."""

    warm_up_pause_s: float = 0.5

    def check(self, plan: LoadPlan) -> None:
        if not plan.locust_workers:
            users = users_of(plan)
            check_open_files(users, f"{users} users")
        elif isinstance(plan.profile, Script):
            pods.read_locustfile(Path(plan.profile.script))

    def run(
        self,
        plan: LoadPlan,
        target: TargetEnvironment,
        on_sample: Callable[[Sample], None],
        on_window: Callable[[], None],
    ) -> LoadRun:
        job = job_of(plan, target)
        warm_up_hosts(plan, target, pause_s=self.warm_up_pause_s)
        reading = Reading(on_sample, on_window, senders=max(job.workers, 1))
        with in_cluster(job, target) if job.workers else locally(job) as command:
            watch(command, job, reading)
        return _load_run(job, reading)


def _load_run(job: Job, reading: Reading) -> LoadRun:
    assert reading.ended is not None, "watching raises where the load did not come to its end"
    senders = reading.ended.senders
    return LoadRun(
        window=reading.window,
        generator=Generator(
            engine="locust",
            cpu_s=sum(one.cpu_s for one in senders),
            connections_opened=sum(one.connections_opened for one in senders),
            tells_intended_start=job.locustfile is None,
            worker_processes=max(len(senders), 1),
            notes=tuple(notes(job, reading.ended, reading.hosts)),
        ),
    )
