"""The objects of a load from inside the cluster: what pod security asks, and the whole of our program."""

import ast
import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loadtest.engines.locust import pods, runner
from loadtest.engines.locust.engine import LocustEngine
from loadtest.engines.locust.runner.job import Job, read_job
from loadtest.errors import UsageError
from loadtest.load_options import LoadOptions
from loadtest.target import LoadPodsTarget
from tests.unit.locust_jobs import job

LOAD = LoadPodsTarget(
    namespace="pr-1-load", namespace_labels={"app.kubernetes.io/name": "load"}, image="loadproof/locust:1"
)
JOB = job(users=100, spawn_rate_per_s=10, duration_s=30, workers=3)
PODS = pods.pods_of(LOAD, JOB)


def test_there_is_one_master_and_as_many_workers_as_asked_for() -> None:
    assert ["master", "worker-1", "worker-2", "worker-3"] == [pod["metadata"]["name"] for pod in PODS]
    [port] = pods.service(LOAD)["spec"]["ports"]
    assert port["port"] == JOB.master_port, "where a master listens by default"
    selector = pods.service(LOAD)["spec"]["selector"]
    assert [True, False, False, False] == [selector == pod["metadata"]["labels"] for pod in PODS]


@pytest.mark.parametrize("pod", PODS, ids=lambda pod: pod["metadata"]["name"])
def test_every_pod_passes_the_restricted_standard_and_has_limits_and_an_end(pod: dict[str, Any]) -> None:
    spec = pod["spec"]
    [container] = spec["containers"]
    assert spec["securityContext"]["runAsNonRoot"]
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"cpu", "memory"} == set(container["resources"]["limits"])
    assert not spec["automountServiceAccountToken"]
    assert 30 < spec["activeDeadlineSeconds"] < 3600, "it ends by itself, long after the load"
    assert {"configMap", "emptyDir", "name"} == {key for volume in spec["volumes"] for key in volume}


def mounted(told: Job, locustfile: bytes | None) -> dict[str, str]:
    """What a pod finds under its working directory."""
    program = pods.program(LOAD, told, locustfile)
    theirs = {key: base64.b64decode(value).decode("latin-1") for key, value in program["binaryData"].items()}
    files = program["data"] | theirs
    [pod, *_] = pods.pods_of(LOAD, told)
    [items] = [volume["configMap"]["items"] for volume in pod["spec"]["volumes"] if "configMap" in volume]
    return {item["path"]: files[item["key"]] for item in items}


def test_the_program_lies_where_its_name_says_and_takes_its_job_from_a_file(tmp_path: Path) -> None:
    found = mounted(JOB, None)
    here = {f"loadtest/engines/locust/runner/{file.name}" for file in Path(runner.__path__[0]).glob("*.py")}
    assert {*here, "job.json"} == set(found)
    (tmp_path / "job.json").write_text(found["job.json"])
    assert read_job(tmp_path / "job.json") == JOB


def test_a_users_locustfile_goes_along_as_it_is() -> None:
    for theirs in ("print('theirs')", "# coding: latin-1\nprint('caf\xe9')"):
        found = mounted(replace(JOB, locustfile=pods.LOCUSTFILE), theirs.encode("latin-1"))
        assert found[Path(pods.LOCUSTFILE).name] == theirs


def test_a_locustfile_that_no_pod_can_be_given_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    file = tmp_path / "locustfile.py"
    options = LoadOptions(engine="locust", profile="script", script=str(file), locust_workers=1)
    plan = options.plan()
    file.write_bytes(b"#" * (2**20 - pods.OWN_MOST_BYTES))
    LocustEngine().check(plan)
    file.write_bytes(b"#" * (2**20 - pods.OWN_MOST_BYTES + 1))
    with pytest.raises(UsageError, match=r"locustfile\.py has 917,505 bytes, .* take 917,504 at most"):
        LocustEngine().check(plan)


def test_the_program_imports_nothing_of_this_project_but_itself() -> None:
    """The image holds locust and nothing of this project."""
    own = runner.__name__
    for path, text in mounted(JOB, None).items():
        for node in ast.walk(ast.parse(text)) if path.endswith(".py") else ():
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            strangers = [
                name for name in names if name.split(".")[0] == "loadtest" and not name.startswith(own)
            ]
            assert strangers == [], path


def test_the_whole_program_fits_into_one_config_map() -> None:
    assert len(json.dumps(pods.program(LOAD, JOB, None))) < pods.OWN_MOST_BYTES
