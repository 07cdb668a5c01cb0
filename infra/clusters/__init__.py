"""Where clusters come from: one row for each name that a stack's `cluster_provider` may have."""

from collections.abc import Callable, Mapping

from infra.clusters.contract import Cluster, ClusterArgs
from infra.clusters.kind import KindCluster

PROVIDERS: Mapping[str, Callable[[str, ClusterArgs], Cluster]] = {"kind": KindCluster}
