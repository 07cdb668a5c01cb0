"""A KinD cluster on this machine, made and deleted by commands; every port of it on loopback only.

Leaves out readiness: a node that joined is not yet Ready, and whoever needs that waits for it.
"""

import json

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_command import local

from infra.clusters.contract import ClusterArgs
from infra.clusters.kind_config import kind_config
from infra.paths import ROOT

# By its path, not as a module: the package around it needs the virtual environment, the script does not.
_COMMAND = "python3 infra/clusters/kind_command.py"


class KindCluster(pulumi.ComponentResource):
    """Meets `infra.clusters.contract.Cluster`."""

    provider: kubernetes.Provider
    kubernetes_version: pulumi.Output[str] | None
    lifetime: pulumi.Resource | None
    kubeconfig: pulumi.Output[str] | None

    def __init__(self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("loadproof:clusters:KindCluster", name, None, opts)
        self._title = name
        self._environment = {"CLUSTER_NAME": args.name, "KUBECONFIG_PATH": str(args.kubeconfig)}
        cluster = self._cluster(args)
        self.lifetime = cluster
        self.kubernetes_version = cluster.stdout.apply(_kubernetes_version)
        self.kubeconfig = kubeconfig = self._kubeconfig(cluster)
        images = self._images(cluster, args)
        self.provider = self._kubernetes(args, kubeconfig, cluster, images)
        # Known now, and so kept from the first moment on.
        self.register_outputs({**args.whereabouts})

    def _cluster(self, args: ClusterArgs) -> local.Command:
        # JSON is YAML, and always the same text for the same config.
        config = json.dumps(kind_config(args), sort_keys=True)
        return local.Command(
            self._title,
            create=f"{_COMMAND} create",
            delete=f"{_COMMAND} delete",
            dir=str(ROOT),
            stdin=config,
            environment=self._environment,
            # Every input: a command whose triggers stay the same while its environment changes runs again in
            # place, over the cluster that is there.
            triggers=[config, *self._environment.values()],
            # The new cluster takes the name and the ports of the old one.
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )

    def _kubeconfig(self, cluster: local.Command) -> pulumi.Output[str]:
        read = local.Command(
            f"{self._title}-kubeconfig",
            create='cat "$KUBECONFIG_PATH"',
            environment=self._environment,
            # The ids of the node containers: a new cluster has new keys.
            triggers=[cluster.stdout],
            logging=local.Logging.NONE,
            opts=pulumi.ResourceOptions(parent=self, additional_secret_outputs=["stdout", "stderr"]),
        )
        return pulumi.Output.secret(read.stdout)

    def _images(self, cluster: local.Command, args: ClusterArgs) -> local.Command:
        by_place = {
            place: {
                image.reference: image.image_id for image in args.images if image.on_ingress_node == on_it
            }
            for place, on_it in (("ingress", True), ("ordinary", False))
        }
        return local.Command(
            f"{self._title}-images",
            # Right after the cluster every tenth of a second of CPU is waited for.
            create="python3 infra/clusters/kind_images.py" if args.images else "true",
            dir=str(ROOT),
            environment={**self._environment, "IMAGES": json.dumps(by_place, sort_keys=True)},
            # And not the images: other ones are loaded into the cluster that is there.
            triggers=[cluster.stdout],
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _kubernetes(
        self,
        args: ClusterArgs,
        kubeconfig: pulumi.Output[str],
        cluster: local.Command,
        images: local.Command,
    ) -> kubernetes.Provider:
        return kubernetes.Provider(
            self._title,
            kubeconfig=kubeconfig,
            # A new cluster's kubeconfig replaces this provider, and with it all that is in the cluster. The
            # option says so and not the provider itself, which does not while its identifier stays: the
            # engine closes a provider that asks to be replaced, and then cannot delete by it what has to go.
            cluster_identifier=args.name,
            opts=pulumi.ResourceOptions(
                parent=self,
                deleted_with=cluster,
                replace_on_changes=["kubeconfig"],
                # No pod before its image: what is not there yet is asked for again after ten seconds only.
                depends_on=[images] if args.images else [],
            ),
        )


def _kubernetes_version(made: str) -> str:
    """From what the command said of the cluster it made."""
    return str(json.loads(made)["kubernetes"])
