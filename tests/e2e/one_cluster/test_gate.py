"""The gate against planted faults of apps in a real cluster, which begin once everything was found healthy.

The apps have them on demand, see `faulty`. What is wrong with a generator needs no cluster to be shown.
"""

import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.e2e.one_cluster import faulty
from tests.e2e.one_cluster.conftest import PutUp, echo_app
from tests.e2e.workspace import PROJECT, Workspace, wait_until

pytestmark = pytest.mark.cluster

REPLICAS = 2
PORT = 8080
# No other module has an app of this name, whose pods would be told to have a fault and have none.
FRAIL = "frail"
HOST = f"{FRAIL}.localhost"
SLO = [
    {"metric": "success_ratio", "fail_below": 1},
    {"metric": "wrong_bodies", "host": HOST, "fail_above": 0},
    {"metric": "latency_p90_ms", "host": HOST, "warn_above": 400, "fail_above": 60_000},
    {"metric": "latency_p95_ms", "host": HOST, "fail_above": 500},
    {"metric": "restarts", "scope": FRAIL, "fail_above": 0},
]
# Past all that health and warm-up ask for.
ANSWERS_BEFORE = 30


@pytest.fixture(scope="module")
def stack(put_up: PutUp) -> Workspace:
    return put_up(slo=SLO, apps=[_frail_app(), echo_app("sound")])


def test_apps_without_a_fault_pass(stack: Workspace) -> None:
    """What makes each of the others fail is its fault, and nothing else."""
    code, report = _run(stack)
    assert (0, "passed") == (code, report["verdict"]["status"]), report["verdict"]
    assert {"valid"} == {check["status"] for check in report["validity"]["checks"]}


def test_a_slow_app_misses(stack: Workspace) -> None:
    many_at_once = ("--requests", "200", "--concurrency", "30")
    code, report = _run(stack, faulty.SLOW, *many_at_once, right_answers=20)
    assert 1 == code
    assert {"success_ratio": "met", "latency_p90_ms": "warned", "latency_p95_ms": "missed"} == {
        metric: status for metric, status in _outcomes(report).items() if metric[:7] in ("success", "latency")
    }


def test_an_app_that_answers_with_errors_misses(stack: Workspace) -> None:
    code, report = _run(stack, faulty.FAILING)
    assert 1 == code
    assert "missed" == _outcomes(report)["success_ratio"]
    assert report["summary"]["arms"][0]["hosts"][HOST]["http_errors"] > 0


def test_one_of_two_replicas_that_answers_wrongly_misses(stack: Workspace) -> None:
    """With status 200, and while the other replica and the other app are right."""
    code, report = _run(stack, faulty.WRONG, replicas=1)
    assert 1 == code
    assert "missed" == _outcomes(report)["wrong_bodies"]
    requests = report["summary"]["arms"][0]["hosts"][HOST]
    assert 0 < requests["wrong_bodies"] < requests["requests"] / 2
    assert requests["wrong_bodies"] + requests["succeeded"] == requests["requests"]


def test_an_app_that_crashes_in_the_middle_of_the_load_misses(stack: Workspace) -> None:
    open_loop = ("--profile", "constant_rate", "--rate", "60", "--duration", "6")
    code, report = _run(stack, faulty.CRASHED, *open_loop)
    assert 1 == code
    assert "missed" == _outcomes(report)["success_ratio"]
    assert "missed" == _outcomes(report)["restarts"], report["resources"]["problems"]


def _run(
    stack: Workspace,
    fault: str = faulty.RIGHT,
    *flags: str,
    replicas: int = REPLICAS,
    right_answers: int = ANSWERS_BEFORE,
) -> tuple[int, dict[str, Any]]:
    """A run's exit code and report; so many of the replicas get the fault, after so many answers."""
    _become(stack, faulty.RIGHT, 0, replicas=REPLICAS)
    _become(stack, fault, right_answers, replicas=replicas)
    done = stack.loadtest("run", *(flags or ("--requests", "400", "--concurrency", "20")))
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, stack.report()


def _become(stack: Workspace, fault: str, right_answers: int, *, replicas: int) -> None:
    """Ask through the ingress until so many different replicas were told."""
    told: set[str] = set()

    def another() -> bool:
        with suppress(httpx.HTTPError):
            answer = httpx.get(
                f"http://127.0.0.1:{_port(stack)}/become/{fault}/{right_answers}",
                headers={"Host": HOST, "Connection": "close"},
                timeout=2,
            )
            told.update([answer.text] if answer.is_success else [])
        return len(told) >= replicas

    wait_until(another, timeout_s=60, what=f"{replicas} replicas that are to be {fault}", pause_s=0.05)


def _outcomes(report: dict[str, Any]) -> dict[str, str]:
    return {one["objective"]["metric"]: one["status"] for one in report["verdict"]["outcomes"]}


def _port(stack: Workspace) -> int:
    port: int = yaml.safe_load(stack.stack_file.read_text())["config"]["loadproof:ingress_port"]
    return port


def _frail_app() -> dict[str, Any]:
    pins = tomllib.loads((PROJECT / "toolchain" / "pins.toml").read_text())
    return {
        "name": FRAIL,
        "host": HOST,
        "image": pins["image-locust"]["image"]["reference"],
        "args": ["-c", Path(faulty.__file__).read_text(), str(PORT)],
        "port": PORT,
        "expected_body": faulty.RIGHT,
        "replicas": REPLICAS,
        "cpu_limit": "1",
    }
