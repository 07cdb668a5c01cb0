"""Locust in the cluster: a namespace with a master and workers, there for one load and removed after it.

Leaves out what runs in the pods (`runner`) and how they look (`pods`).
"""

import json
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from loadtest.cluster import states
from loadtest.cluster.kubectl import Kubectl, kubectl_for
from loadtest.cluster.objects import Namespace, Pod
from loadtest.engines.locust import pods, runner
from loadtest.engines.locust.runner.job import Job
from loadtest.errors import LoadTestError, MachineError, UsageError
from loadtest.target import LoadPodsTarget, TargetEnvironment

logger = logging.getLogger(__name__)

_READY_S = 60.0
_GONE_S = 60.0
_LOOK_S = 0.3
_NO_IMAGE = ("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName")


@contextmanager
def in_cluster(job: Job, target: TargetEnvironment) -> Iterator[tuple[str, ...]]:
    """The command that carries the job out, once every pod runs. Whatever happens, all of it is removed.

    Raises MachineError where the pods do not start, UsageError where somebody else has their namespace.
    """
    kubectl = kubectl_for(target.cluster)
    _make_room(kubectl, target.load_pods)
    try:
        _start_pods(kubectl, job, target)
        yield _master_command(kubectl, target.load_pods)
    finally:
        _remove(kubectl, target)


def _make_room(kubectl: Kubectl, load: LoadPodsTarget) -> None:
    """Nothing is there afterwards: what a killed run left is removed, what is a stranger's is an error."""
    found = kubectl.text("get", "namespace", load.namespace, "--ignore-not-found", "--output", "json")
    if not found:
        return
    labels = msgspec.json.decode(found, type=Namespace).metadata.labels
    if not load.namespace_labels.items() <= labels.items():
        raise UsageError(
            f"the namespace {load.namespace} is not this stack's: no load can be sent from there",
            hint="Remove it, or set another namespace_prefix.",
        )
    _delete(kubectl, load, wait=True)


def _start_pods(kubectl: Kubectl, job: Job, target: TargetEnvironment) -> None:
    load = target.load_pods
    _create(kubectl, pods.namespace(load), pods.account(load), pods.service(load))
    there = replace(
        job,
        base_url=f"http://{_cluster_address(kubectl, target.ingress.namespace, target.ingress.service)}"
        f":{target.ingress.service_port}",
        master_host=_cluster_address(kubectl, load.namespace, pods.MASTER),
        locustfile=None if job.locustfile is None else pods.LOCUSTFILE,
    )
    locustfile = None if job.locustfile is None else pods.read_locustfile(Path(job.locustfile))
    _create(kubectl, pods.program(load, there, locustfile), *pods.pods_of(load, there))
    _wait_ready(kubectl, load, expected=job.workers + 1)


def _create(kubectl: Kubectl, *objects: Mapping[str, Any]) -> None:
    document = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    kubectl.text("create", "--validate=false", "--filename", "-", stdin=document)


def _cluster_address(kubectl: Kubectl, namespace: str, service: str) -> str:
    """An address and no name: no request is to wait for the cluster's name service."""
    words = ("service", service, "--namespace", namespace, "--output", "jsonpath={.spec.clusterIP}")
    address = kubectl.text("get", *words)
    return f"[{address}]" if ":" in address else address


def _wait_ready(kubectl: Kubectl, load: LoadPodsTarget, *, expected: int) -> None:
    give_up_s = time.monotonic() + _READY_S
    while True:
        found = kubectl.items(Pod, "pods", "--namespace", load.namespace)
        if sum(states.ready_since(pod) is not None for pod in found) == expected:
            return
        if hopeless := states.pod_troubles(pod for pod in found if _is_hopeless(pod)):
            raise _not_ready(hopeless[0], load)
        if time.monotonic() > give_up_s:
            raise _not_ready(f"after {_READY_S:.0f} s, {', '.join(states.pod_troubles(found))}", load)
        time.sleep(_LOOK_S)


def _is_hopeless(pod: Pod) -> bool:
    held = [status.state for status in pod.status.container_statuses]
    return any(one.terminated or (one.waiting and one.waiting.reason in _NO_IMAGE) for one in held)


def _not_ready(why: str, load: LoadPodsTarget) -> MachineError:
    return MachineError(
        f"the pods that are to send the load are not ready: {why}",
        hint=f"Do the nodes have the image {load.image}? A cluster of ours gets it where the stack's "
        "config says load_locust_workers; `python3 -m toolchain get image-locust` makes it. "
        "Another cluster has to be given it by whoever runs it.",
    )


def _master_command(kubectl: Kubectl, load: LoadPodsTarget) -> tuple[str, ...]:
    program = ("python3", "-m", runner.__name__, "master", pods.JOB_FILE)
    return tuple(
        kubectl.arguments("exec", "--namespace", load.namespace, "--stdin", pods.MASTER, "--", *program)
    )


def _remove(kubectl: Kubectl, target: TargetEnvironment) -> None:
    """In a cluster that stays it is waited for; else the cluster takes away what is left."""
    try:
        _delete(kubectl, target.load_pods, wait=target.cluster.nodes is None)
    except LoadTestError as error:  # the load is what this is about, and may have its own error
        logger.warning("the pods that sent the load may still be there: %s", error)


def _delete(kubectl: Kubectl, load: LoadPodsTarget, *, wait: bool) -> None:
    words = ("namespace", load.namespace, "--ignore-not-found", f"--wait={str(wait).lower()}")
    kubectl.text("delete", *words, timeout_s=_GONE_S)
