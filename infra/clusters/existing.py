"""A cluster that is there already: a context of a kubeconfig, which is used where it lies and never copied.

Leaves out making, changing and deleting the cluster: what a stack puts into it is deleted one by one.
"""

import shutil
import subprocess

import pulumi
import pulumi_kubernetes as kubernetes

from infra.clusters.contract import ClusterArgs

_VIEW = ("config", "view", "--minify", "--output", "jsonpath={.clusters[0].cluster.server}")
_ASK_S = 10


class ExistingCluster(pulumi.ComponentResource):
    """Meets `infra.clusters.contract.Cluster`."""

    provider: kubernetes.Provider
    kubernetes_version: pulumi.Output[str] | None = None
    lifetime: pulumi.Resource | None = None
    kubeconfig: pulumi.Output[str] | None = None

    def __init__(self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("loadproof:clusters:ExistingCluster", name, None, opts)
        self.provider = kubernetes.Provider(
            name,
            kubeconfig=None if args.kubeconfig is None else str(args.kubeconfig),
            context=args.context,
            # An object of that name that is there already is then an error; applied, it would be taken over.
            enable_server_side_apply=False,
            # Another cluster replaces all that is in this one. The option says so and not the provider: the
            # engine closes a provider that asks to be replaced, and then cannot delete by it what has to go.
            cluster_identifier=name,
            opts=pulumi.ResourceOptions(parent=self, replace_on_changes=["context", "kubeconfig"]),
        )
        # A context of that name may lead elsewhere when all this is to go.
        self.register_outputs({**args.whereabouts, "server": server_of(args)})


def server_of(args: ClusterArgs) -> str | None:
    """The address that the context leads to; None where it cannot be told."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        return None
    kubeconfig = () if args.kubeconfig is None else ("--kubeconfig", str(args.kubeconfig))
    try:
        done = subprocess.run(
            [kubectl, *kubeconfig, "--context", args.context, *_VIEW],
            capture_output=True,
            text=True,
            timeout=_ASK_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    return done.stdout or None
