"""From a plan and its target to what a locust process is told."""

from pathlib import Path

from loadtest.engines.locust.runner.job import App, Job
from loadtest.plan import LoadPlan, Script, Users
from loadtest.target import TargetEnvironment

# What a script leaves open is one user, as locust itself has it.
_USERS = 1
_SPAWN_RATE_PER_S = 1.0


def users_of(plan: LoadPlan) -> int:
    return _profile(plan).users or _USERS


def job_of(plan: LoadPlan, target: TargetEnvironment) -> Job:
    profile = _profile(plan)
    own = profile if isinstance(profile, Users) else None
    return Job(
        base_url=f"http://{target.ingress.address}:{target.ingress.port}",
        apps=tuple(App(host=app.host, path=app.path, expected_body=app.expected_body) for app in target.apps),
        users=users_of(plan),
        spawn_rate_per_s=profile.spawn_rate_per_s or _SPAWN_RATE_PER_S,
        wait_min_s=own.wait_min_s if own else 0.0,
        wait_max_s=own.wait_max_s if own else 0.0,
        duration_s=profile.duration_s,
        timeout_s=plan.timeout_s,
        seed=plan.seed,
        locustfile=str(Path(profile.script).resolve()) if isinstance(profile, Script) else None,
        web_port=plan.locust_web_port or None,
        workers=plan.locust_workers,
    )


def _profile(plan: LoadPlan) -> Users | Script:
    assert isinstance(plan.profile, Users | Script), "the profiles its row in the table names"
    return plan.profile
