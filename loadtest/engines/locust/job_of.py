"""From a plan and its target to what a locust process is told."""

from pathlib import Path

from loadtest.engines.locust.runner.job import App, Job
from loadtest.plan import LoadPlan, Script, Users
from loadtest.target import TargetEnvironment


def job_of(plan: LoadPlan, target: TargetEnvironment) -> Job:
    profile = plan.profile
    assert isinstance(profile, Users | Script), "the profiles its row in the table names"
    users = profile if isinstance(profile, Users) else None
    return Job(
        base_url=f"http://{target.ingress.address}:{target.ingress.port}",
        apps=tuple(App(host=app.host, path=app.path, expected_body=app.expected_body) for app in target.apps),
        # What a script leaves open is one user, as locust itself has it.
        users=1 if profile.users is None else profile.users,
        spawn_rate_per_s=1.0 if profile.spawn_rate_per_s is None else profile.spawn_rate_per_s,
        wait_min_s=users.wait_min_s if users else 0.0,
        wait_max_s=users.wait_max_s if users else 0.0,
        duration_s=profile.duration_s,
        timeout_s=plan.timeout_s,
        seed=plan.seed,
        locustfile=str(Path(profile.script).resolve()) if isinstance(profile, Script) else None,
        web_port=plan.locust_web_port or None,
        workers=plan.locust_workers,
    )
