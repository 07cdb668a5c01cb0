"""The certificate that the apps answer with over TLS: a secret of the cluster, copied beside the apps.

An Ingress takes its secret from its own namespace, and this one is made for the stack. The copy is a command
because a resource would put the private key into the stack's state. It is not renewed with its source.
"""

from dataclasses import dataclass
from pathlib import Path

import pulumi
from pulumi_command import local

from infra.model import SecretName
from infra.paths import ROOT

SECRET = "certificate"  # noqa: S105  # its name
_COMMAND = "python3 infra/workloads/copy_secret.py"


@dataclass(frozen=True, kw_only=True)
class CertificateArgs:
    """The `source` is in the cluster of `context` in `kubeconfig`, None for the one `kubectl` would take."""

    source: SecretName
    context: str
    kubeconfig: Path | None


def certificate(
    args: CertificateArgs, namespace: pulumi.Input[str], parent: pulumi.Resource
) -> local.Command:
    """Copies the certificate into the namespace."""
    environment: dict[str, pulumi.Input[str]] = {
        "CONTEXT": args.context,
        "KUBECONFIG_PATH": "" if args.kubeconfig is None else str(args.kubeconfig),
        "SOURCE": args.source.name,
        "SOURCE_NAMESPACE": args.source.namespace,
        "TARGET": SECRET,
        "TARGET_NAMESPACE": namespace,
    }
    return local.Command(
        SECRET,
        create=f"{_COMMAND} create",
        delete=f"{_COMMAND} delete",
        dir=str(ROOT),
        environment=environment,
        triggers=list(environment.values()),
        logging=local.Logging.STDERR,
        opts=pulumi.ResourceOptions(parent=parent, delete_before_replace=True),
    )
