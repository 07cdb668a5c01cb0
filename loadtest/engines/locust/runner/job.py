"""What a locust process is told to do; written by the engine, so it is trusted here."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class App:
    host: str
    path: str
    expected_body: str


@dataclass(frozen=True, kw_only=True)
class Job:
    """`locustfile` None: users of ours ask the apps. `duration_s` None: the locustfile knows when to end."""

    base_url: str
    apps: tuple[App, ...]
    users: int
    spawn_rate_per_s: float
    wait_min_s: float
    wait_max_s: float
    duration_s: float | None
    timeout_s: float
    seed: int
    locustfile: str | None
    web_port: int | None
    workers: int = 0  # 0: the process sends the load itself
    master_bind_host: str = "*"
    master_host: str = ""
    master_port: int = 5557

    def text(self) -> str:
        return json.dumps(asdict(self))


def read_job(file: Path) -> Job:
    fields = json.loads(file.read_text())
    return Job(**fields | {"apps": tuple(App(**app) for app in fields["apps"])})
