"""All services under test in one namespace, behind one Ingress."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.core.v1 import Namespace
from pulumi_kubernetes.networking.v1 import Ingress, IngressRuleArgsDict, IngressTLSArgsDict

from infra import labels
from infra.model import AppSettings
from infra.naming import Naming
from infra.workloads.app import App, AppArgs
from infra.workloads.certificate import SECRET, CertificateArgs, certificate

_NAMESPACE = "apps"


@dataclass(frozen=True, kw_only=True)
class AppsArgs:
    """`ingress_class` and `ingress_namespace` are those of the controller that carries the traffic.

    With a `certificate` they answer over TLS as well.
    `image_ids` are those of the images that the cluster got from this machine, by their names.
    """

    naming: Naming
    apps: tuple[AppSettings, ...]
    image_ids: Mapping[str, str]
    ingress_class: str
    ingress_namespace: str
    certificate: CertificateArgs | None


class Apps(pulumi.ComponentResource):
    namespace: str
    services: Mapping[str, pulumi.Output[str]]

    def __init__(self, name: str, args: AppsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("loadproof:workloads:Apps", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self.namespace = args.naming.name(_NAMESPACE)
        namespace = self._namespace(args.naming).metadata.name
        self.services = {app.name: self._app(app, namespace, args).service for app in args.apps}
        if args.certificate:
            certificate(args.certificate, namespace, self)
        self._ingress(args, namespace)
        self.register_outputs({"services": self.services})

    def _namespace(self, naming: Naming) -> Namespace:
        return Namespace(
            _NAMESPACE,
            metadata={"name": self.namespace, "labels": naming.namespace_labels},
            opts=self._child,
        )

    def _app(self, app: AppSettings, namespace: pulumi.Input[str], args: AppsArgs) -> App:
        return App(
            app.name,
            AppArgs(
                app=app,
                image_id=args.image_ids.get(app.image),
                namespace=namespace,
                callers_namespace=args.ingress_namespace,
            ),
            self._child,
        )

    def _ingress(self, args: AppsArgs, namespace: pulumi.Input[str]) -> None:
        Ingress(
            _NAMESPACE,
            metadata={"name": _NAMESPACE, "namespace": namespace, "annotations": labels.SKIP_AWAIT},
            spec={
                "ingress_class_name": args.ingress_class,
                "rules": [self._rule(app) for app in args.apps],
                "tls": [_tls(args.apps)] if args.certificate else None,
            },
            opts=self._child,
        )

    def _rule(self, app: AppSettings) -> IngressRuleArgsDict:
        return {
            "host": app.host,
            "http": {
                "paths": [
                    {
                        "path": app.path,
                        "path_type": "Prefix",
                        "backend": {"service": {"name": self.services[app.name], "port": {"name": "http"}}},
                    }
                ]
            },
        }


def _tls(apps: Sequence[AppSettings]) -> IngressTLSArgsDict:
    return {"hosts": sorted({app.host for app in apps}), "secret_name": SECRET}
