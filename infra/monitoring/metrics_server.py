"""metrics-server with the least rights that work: what autoscalers ask how much CPU their pods use.

Leaves out the roles that let people ask as well (`kubectl top`): in a cluster that lives for minutes nobody
does. Leaves out a cluster that is not ours: what its metrics API is made of is its owner's choice.
"""

from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.apiregistration.v1 import APIService
from pulumi_kubernetes.apps.v1 import Deployment
from pulumi_kubernetes.core.v1 import (
    ContainerArgsDict,
    PodSpecArgsDict,
    ProbeArgsDict,
    Service,
)
from pulumi_kubernetes.meta.v1 import ObjectMetaArgsDict
from pulumi_kubernetes.rbac.v1 import ClusterRoleBinding, RoleBinding

from infra import labels, versions
from infra.monitoring.rights import measuring_account, role_ref, subject
from infra.parts import CONTAINER_SECURITY, http_probe, lone_pod, pod_security

NAME = "metrics-server"
_USER_ID = 65532
_PORT = 10250
# The shortest it takes. What an autoscaler sees is an average over this long, and up to this old.
_RESOLUTION_S = 10
# Has to be below nine tenths of the resolution.
_KUBELET_TIMEOUT_S = 5
# By then every node knows where the service leads: kube-proxy writes it down up to a second after it hears of
# it, and of these seconds, which are counted from a whole one, two are sure.
_KNOWN_AFTER_S = 3
# It takes a bit longer than the resolution, since it is ready with its second look at the nodes.
_START = pulumi.CustomTimeouts(create="2m", update="2m")


@dataclass(frozen=True, kw_only=True)
class MetricsServerArgs:
    """`namespace` is one that is there already."""

    namespace: pulumi.Input[str]


class MetricsServer(pulumi.ComponentResource):
    def __init__(
        self, name: str, args: MetricsServerArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("loadproof:monitoring:MetricsServer", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._namespace = args.namespace
        account = measuring_account(
            NAME,
            metadata=self._metadata(),
            cluster_wide=_cluster_wide(f"loadproof-{NAME}"),
            opts=self._child,
        )
        self._checks_who_asks(account)
        self._api(self._service(), self._deployment(account))
        self.register_outputs({})  # whoever uses it asks the cluster's metrics API

    def _metadata(self) -> ObjectMetaArgsDict:
        return {"name": NAME, "namespace": self._namespace, "labels": labels.component(NAME)}

    def _checks_who_asks(self, account: pulumi.Output[str]) -> None:
        """By way of the API server, as every API that extends it has to."""
        whoever = subject(account, self._namespace)
        ClusterRoleBinding(
            f"{NAME}-auth-delegator",
            metadata=_cluster_wide(f"loadproof-{NAME}-auth-delegator"),
            role_ref=role_ref("ClusterRole", "system:auth-delegator"),
            subjects=[whoever],
            opts=self._child,
        )
        RoleBinding(
            f"{NAME}-auth-reader",
            metadata={**_cluster_wide(f"loadproof-{NAME}-auth-reader"), "namespace": "kube-system"},
            role_ref=role_ref("Role", "extension-apiserver-authentication-reader"),
            subjects=[whoever],
            opts=self._child,
        )

    def _deployment(self, account: pulumi.Output[str]) -> Deployment:
        return Deployment(
            NAME,
            metadata=self._metadata(),
            spec={**lone_pod(NAME, _pod_spec(account)), "min_ready_seconds": _KNOWN_AFTER_S},
            opts=pulumi.ResourceOptions(parent=self, custom_timeouts=_START),
        )

    def _service(self) -> Service:
        return Service(
            NAME,
            metadata={**self._metadata(), "annotations": labels.SKIP_AWAIT},
            spec={
                "selector": labels.component(NAME),
                "ports": [{"name": "https", "port": 443, "target_port": "https"}],
            },
            opts=self._child,
        )

    def _api(self, service: Service, deployment: Deployment) -> None:
        APIService(
            NAME,
            # The API server insists on this name for this group and version.
            metadata=_cluster_wide("v1beta1.metrics.k8s.io"),
            spec={
                "group": "metrics.k8s.io",
                "version": "v1beta1",
                "service": {"name": service.metadata.name, "namespace": self._namespace},
                # Its certificate is its own, made anew at every start.
                "insecure_skip_tls_verify": True,
                "group_priority_minimum": 100,
                "version_priority": 100,
            },
            # Awaited, as nothing else is: the API server asks a new API for its documents at once, and what
            # it asks before the nodes know the service's address is sent astray and holds up all the rest.
            # Where somebody out there answers, the API server keeps that connection, and the API stays out of
            # reach.
            opts=pulumi.ResourceOptions(parent=self, depends_on=deployment),
        )


def _cluster_wide(name: str) -> ObjectMetaArgsDict:
    return {"name": name, "labels": labels.component(NAME)}


def _pod_spec(account: pulumi.Output[str]) -> PodSpecArgsDict:
    return {
        "service_account_name": account,
        "enable_service_links": False,
        "security_context": pod_security(_USER_ID),
        "containers": [_container()],
        "volumes": [{"name": "certificate", "empty_dir": {}}],
    }


def _container() -> ContainerArgsDict:
    return {
        "name": NAME,
        "image": versions.image("registry.k8s.io/metrics-server/metrics-server"),
        "image_pull_policy": "IfNotPresent",
        "args": [
            f"--secure-port={_PORT}",
            "--cert-dir=/tmp",
            "--kubelet-preferred-address-types=InternalIP",
            "--kubelet-use-node-status-port",
            # A KinD node's kubelet signs its certificate itself.
            "--kubelet-insecure-tls",
            f"--kubelet-request-timeout={_KUBELET_TIMEOUT_S}s",
            f"--metric-resolution={_RESOLUTION_S}s",
        ],
        "ports": [{"name": "https", "container_port": _PORT}],
        "resources": {
            "requests": {"cpu": "50m", "memory": "64Mi"},
            "limits": {"cpu": "500m", "memory": "256Mi"},
        },
        # It has nothing to tell, and is not ready, before its second look at the nodes.
        "startup_probe": _probe("/livez", period_s=1, failures=60),
        "readiness_probe": _probe("/readyz", period_s=1, failures=3),
        "liveness_probe": _probe("/livez", period_s=10, failures=3),
        "volume_mounts": [{"name": "certificate", "mount_path": "/tmp"}],  # noqa: S108  # the container's own
        "security_context": CONTAINER_SECURITY,
    }


def _probe(path: str, *, period_s: int, failures: int) -> ProbeArgsDict:
    return http_probe(path, period_s=period_s, failures=failures, port="https", scheme="HTTPS")
