"""One service under test: its pods, its address in the cluster, and who may reach it."""

from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.apps.v1 import Deployment
from pulumi_kubernetes.autoscaling.v2 import HorizontalPodAutoscaler
from pulumi_kubernetes.core.v1 import ContainerArgsDict, PodSpecArgsDict, Service
from pulumi_kubernetes.meta.v1 import ObjectMetaArgsDict
from pulumi_kubernetes.networking.v1 import NetworkPolicy
from pulumi_kubernetes.policy.v1 import PodDisruptionBudget

from infra import labels
from infra.model import AppSettings, AutoscalerSettings, Spread
from infra.parts import CONTAINER_SECURITY, metadata, pod_security, prompt_probes
from infra.workloads.autoscaling import autoscaler_spec

# The standard asks for a number where images name their users; no file of an image belongs to this one.
_USER_ID = 65532
_UNSATISFIABLE = {Spread.PREFERRED: "ScheduleAnyway", Spread.REQUIRED: "DoNotSchedule"}


@dataclass(frozen=True, kw_only=True)
class AppArgs:
    """`callers_namespace` is the only namespace whose pods may send requests to the app.

    `image_id` is that of its image where the cluster got it from this machine: another one starts new pods.
    """

    app: AppSettings
    image_id: str | None
    namespace: pulumi.Input[str]
    callers_namespace: str


class App(pulumi.ComponentResource):
    """`service` is the name under which the app is reached in its namespace."""

    service: pulumi.Output[str]

    def __init__(self, name: str, args: AppArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("loadproof:workloads:App", name, None, opts)
        self._args = args
        self._app = args.app
        self._labels = labels.component(args.app.name)
        self._child = pulumi.ResourceOptions(parent=self)
        deployment = self._deployment().metadata.name
        if args.app.autoscaler:
            self._autoscaler(deployment, args.app.autoscaler)
        self._network_policy()
        if args.app.replicas > 1:
            self._disruption_budget()
        self.service = self._service().metadata.name
        self.register_outputs({"service": self.service})

    def _metadata(self) -> ObjectMetaArgsDict:
        return metadata(self._app.name, self._args.namespace)

    def _pod_metadata(self) -> ObjectMetaArgsDict:
        if self._args.image_id is None:
            return {"labels": self._labels}
        return {"labels": self._labels, "annotations": {"loadproof/image": self._args.image_id}}

    def _deployment(self) -> Deployment:
        return Deployment(
            self._app.name,
            metadata=self._metadata(),
            spec={
                # Said beside an autoscaler, every deployment would take back what that had decided.
                "replicas": None if self._app.autoscaler else self._app.replicas,
                "selector": {"match_labels": self._labels},
                "template": {"metadata": self._pod_metadata(), "spec": pod_spec(self._app)},
            },
            opts=self._child,
        )

    def _autoscaler(self, deployment: pulumi.Input[str], autoscaler: AutoscalerSettings) -> None:
        HorizontalPodAutoscaler(
            self._app.name,
            metadata=self._metadata(),
            spec=autoscaler_spec(deployment, autoscaler),
            opts=self._child,
        )

    def _service(self) -> Service:
        return Service(
            self._app.name,
            metadata=self._metadata(),
            spec={
                "selector": self._labels,
                "ports": [{"name": "http", "port": self._app.port, "target_port": "http"}],
            },
            opts=self._child,
        )

    def _disruption_budget(self) -> None:
        PodDisruptionBudget(
            self._app.name,
            metadata=self._metadata(),
            spec={"max_unavailable": 1, "selector": {"match_labels": self._labels}},
            opts=self._child,
        )

    def _network_policy(self) -> None:
        callers = {"kubernetes.io/metadata.name": self._args.callers_namespace}
        NetworkPolicy(
            self._app.name,
            metadata=self._metadata(),
            spec={
                "pod_selector": {"match_labels": self._labels},
                "policy_types": ["Ingress"],
                "ingress": [
                    {
                        "from_": [{"namespace_selector": {"match_labels": callers}}],
                        "ports": [{"port": self._app.port}],
                    }
                ],
            },
            opts=self._child,
        )


def pod_spec(app: AppSettings) -> PodSpecArgsDict:
    """What a pod of the app is, within the restricted pod security standard."""
    return {
        "automount_service_account_token": False,
        "enable_service_links": False,
        "security_context": pod_security(_USER_ID),
        "topology_spread_constraints": [
            {
                "max_skew": 1,
                "topology_key": "kubernetes.io/hostname",
                "when_unsatisfiable": _UNSATISFIABLE[app.spread],
                # A node that takes no such pods is none to spread over, and must not hold up the others.
                "node_taints_policy": "Honor",
                "label_selector": {"match_labels": labels.component(app.name)},
            }
        ],
        "containers": [_container(app)],
    }


def _container(app: AppSettings) -> ContainerArgsDict:
    ready, alive = prompt_probes(app.path, app.path, patience_s=6)
    return {
        "name": app.name,
        "image": app.image,
        "image_pull_policy": "IfNotPresent",
        "args": list(app.args),
        "ports": [{"name": "http", "container_port": app.port}],
        "resources": {
            "requests": {"cpu": app.resources.cpu_request, "memory": app.resources.memory_request},
            "limits": {"cpu": app.resources.cpu_limit, "memory": app.resources.memory_limit},
        },
        "readiness_probe": ready,
        "liveness_probe": alive,
        "security_context": CONTAINER_SECURITY,
    }
