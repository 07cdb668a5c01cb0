"""Pieces of Kubernetes objects that several components are made of alike.

Pure. Leaves out names, images and rights: what is each component's own.
"""

from collections.abc import Mapping

import pulumi
from pulumi_kubernetes.apps.v1 import DeploymentSpecArgsDict
from pulumi_kubernetes.core.v1 import (
    ContainerArgsDict,
    PodSecurityContextArgsDict,
    PodSpecArgsDict,
    ProbeArgsDict,
    SecurityContextArgsDict,
)
from pulumi_kubernetes.meta.v1 import ObjectMetaArgsDict

from infra import labels

# With `pod_security` of its pod, a container is within the restricted pod security standard.
CONTAINER_SECURITY: SecurityContextArgsDict = {
    "allow_privilege_escalation": False,
    "read_only_root_filesystem": True,
    "capabilities": {"drop": ["ALL"]},
}

_STARTING_S = 60


def pod_security(user_id: int) -> PodSecurityContextArgsDict:
    return {
        "run_as_non_root": True,
        "run_as_user": user_id,
        "seccomp_profile": {"type": "RuntimeDefault"},
    }


def configured_pod(
    container: ContainerArgsDict, config_map: pulumi.Input[str], *, user_id: int
) -> PodSpecArgsDict:
    """Its container may mount the config map as `config`, and write to `data`."""
    return {
        "enable_service_links": False,
        "security_context": {**pod_security(user_id), "fs_group": user_id},
        "containers": [container],
        "volumes": [
            {"name": "config", "config_map": {"name": config_map}},
            {"name": "data", "empty_dir": {}},
        ],
    }


def metadata(name: str, namespace: pulumi.Input[str]) -> ObjectMetaArgsDict:
    """Of an object that nothing waits for."""
    return {
        "name": name,
        "namespace": namespace,
        "labels": labels.component(name),
        "annotations": labels.SKIP_AWAIT,
    }


def lone_pod(
    name: str, spec: PodSpecArgsDict, annotations: Mapping[str, str] | None = None
) -> DeploymentSpecArgsDict:
    """A deployment of one pod, selected by its component's labels."""
    return {
        "replicas": 1,
        "selector": {"match_labels": labels.component(name)},
        "template": {
            "metadata": {"labels": labels.component(name), "annotations": annotations},
            "spec": spec,
        },
    }


def prompt_probes(
    ready_path: str, alive_path: str, *, patience_s: int
) -> tuple[ProbeArgsDict, ProbeArgsDict]:
    """Of readiness and of life, for what is waited for: who stops answering is given `patience_s`.

    Without a probe of the start: only after one of those has passed would readiness be asked about at all, in
    steps of its own. In its place nothing is restarted within a minute of its start.
    """
    return (
        http_probe(ready_path, period_s=1, failures=patience_s),
        http_probe(alive_path, period_s=10, failures=3, delay_s=_STARTING_S),
    )


def http_probe(
    path: str,
    *,
    period_s: int,
    failures: int,
    delay_s: int | None = None,
    port: str = "http",
    scheme: str | None = None,
) -> ProbeArgsDict:
    return {
        "http_get": {"path": path, "port": port, "scheme": scheme},
        "initial_delay_seconds": delay_s,
        "period_seconds": period_s,
        "failure_threshold": failures,
    }
