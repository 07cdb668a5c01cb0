"""The Kubernetes objects of a load that comes from inside the cluster. Pure.

A master that waits to be told to start, and workers that look for it. Leaves out making and removing them.
"""

import base64
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from loadtest.engines.locust import runner
from loadtest.engines.locust.runner.job import Job
from loadtest.errors import UsageError
from loadtest.target import LoadPodsTarget

MASTER = "master"
PORT = 5557
JOB_FILE = "/load/job.json"
LOCUSTFILE = "/load/locustfile.py"

_ACCOUNT = "load"
_CODE = "/load"
_PACKAGE = runner.__name__.replace(".", "/")
_USERS_KEY = "their-locustfile.py"  # not the name of a module of ours
_USER_ID = 65532
# A ConfigMap holds 1 MiB; an eighth of it is for what is ours.
OWN_MOST_BYTES = 2**17
_LOCUSTFILE_MOST_BYTES = 2**20 - OWN_MOST_BYTES
# A pod that nobody removes ends by itself so long after the load.
_FORGOTTEN_S = 600
# One process sends from one core.
_RESOURCES = {
    "requests": {"cpu": "100m", "memory": "128Mi"},
    "limits": {"cpu": "1", "memory": "1Gi"},
}


def namespace(pods: LoadPodsTarget) -> Mapping[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": pods.namespace, "labels": pods.namespace_labels},
    }


def account(pods: LoadPodsTarget) -> Mapping[str, Any]:
    """One without any rights. A namespace's own comes a moment after it, which is too late for its pods."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": _ACCOUNT, "namespace": pods.namespace},
        "automountServiceAccountToken": False,
    }


def service(pods: LoadPodsTarget) -> Mapping[str, Any]:
    """Where the workers find their master; from before it listens, so that none has to ask twice."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": MASTER, "namespace": pods.namespace},
        "spec": {
            "selector": {"load": MASTER},
            "ports": [{"name": "locust", "port": PORT}],
            "publishNotReadyAddresses": True,
        },
    }


def read_locustfile(file: Path) -> bytes:
    """A user's own, as it is. Raises UsageError where pods cannot be given it."""
    content = file.read_bytes()
    if len(content) > _LOCUSTFILE_MOST_BYTES:
        raise UsageError(
            f"{file} has {len(content):,} bytes, pods of the cluster take {_LOCUSTFILE_MOST_BYTES:,} at most",
            hint="Does it hold data that users could read from elsewhere, or make up?",
        )
    return content


def program(pods: LoadPodsTarget, job: Job, locustfile: bytes | None) -> Mapping[str, Any]:
    """What the image does not hold: our program, the job, and the user's locustfile.

    That one may be in any encoding that Python reads.
    """
    theirs = {} if locustfile is None else {_USERS_KEY: base64.b64encode(locustfile).decode("ascii")}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "load", "namespace": pods.namespace},
        "data": {file.name: file.read_text() for file in _modules()} | {"job.json": job.text()},
        "binaryData": theirs,
    }


def pods_of(pods: LoadPodsTarget, job: Job) -> Sequence[Mapping[str, Any]]:
    workers = [f"worker-{number}" for number in range(1, job.workers + 1)]
    waiting = ("-c", "import signal; signal.pause()")
    working = ("-m", runner.__name__, "worker", JOB_FILE)
    return [_pod(pods, job, MASTER, waiting), *(_pod(pods, job, name, working) for name in workers)]


def _pod(pods: LoadPodsTarget, job: Job, name: str, arguments: Sequence[str]) -> Mapping[str, Any]:
    role = name.partition("-")[0]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": pods.namespace, "labels": {"load": role}},
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
            "activeDeadlineSeconds": _FORGOTTEN_S + math.ceil(job.duration_s or 86_400),
            "serviceAccountName": _ACCOUNT,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": _USER_ID,
                "runAsGroup": _USER_ID,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            # A load is to come from as many machines as there are.
            "topologySpreadConstraints": [
                {
                    "maxSkew": 1,
                    "topologyKey": "kubernetes.io/hostname",
                    "whenUnsatisfiable": "ScheduleAnyway",
                    "labelSelector": {"matchLabels": {"load": role}},
                }
            ],
            "containers": [_container(pods, job, arguments)],
            "volumes": [
                {"name": "load", "configMap": {"name": "load", "items": _items(job)}},
                {"name": "tmp", "emptyDir": {}},
            ],
        },
    }


def _container(pods: LoadPodsTarget, job: Job, arguments: Sequence[str]) -> Mapping[str, Any]:
    return {
        "name": "locust",
        "image": pods.image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", *arguments],
        "workingDir": _CODE,
        "resources": _RESOURCES,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "load", "mountPath": _CODE, "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - the container's own
        ],
    }


def _items(job: Job) -> Sequence[Mapping[str, str]]:
    """Where each file lies: our program under its full name, as the package that it is here."""
    items = [{"key": file.name, "path": f"{_PACKAGE}/{file.name}"} for file in _modules()]
    items.append({"key": "job.json", "path": Path(JOB_FILE).name})
    if job.locustfile is not None:
        items.append({"key": _USERS_KEY, "path": Path(LOCUSTFILE).name})
    return items


def _modules() -> list[Path]:
    folder = Path(str(runner.__file__)).parent
    return sorted(folder.glob("*.py"))
