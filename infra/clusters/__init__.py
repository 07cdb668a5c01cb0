"""Where clusters come from: one row for each name that a stack's `cluster_provider` may have.

Pure: reading a configuration needs the names, and must not wait for Pulumi's packages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from infra.clusters.contract import Cluster, ClusterArgs


def _kind(name: str, args: ClusterArgs) -> Cluster:
    from infra.clusters.kind import KindCluster

    return KindCluster(name, args)


def _existing(name: str, args: ClusterArgs) -> Cluster:
    from infra.clusters.existing import ExistingCluster

    return ExistingCluster(name, args)


PROVIDERS: Mapping[str, Callable[[str, ClusterArgs], Cluster]] = {"kind": _kind, "existing": _existing}
