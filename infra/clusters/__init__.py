"""Where clusters come from: one row for each name that a stack's `cluster_provider` may have.

Pure: reading a configuration needs the names, and must not wait for Pulumi's packages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from infra.clusters.contract import Cluster, ClusterArgs


@dataclass(frozen=True, kw_only=True)
class Provider:
    """`parts` are those of toolchain/pins.toml that only a stack with this provider needs."""

    make: Callable[[str, ClusterArgs], Cluster]
    parts: tuple[str, ...]


def _kind(name: str, args: ClusterArgs) -> Cluster:
    from infra.clusters.kind import KindCluster

    return KindCluster(name, args)


def _existing(name: str, args: ClusterArgs) -> Cluster:
    from infra.clusters.existing import ExistingCluster

    return ExistingCluster(name, args)


PROVIDERS: Mapping[str, Provider] = {
    "kind": Provider(make=_kind, parts=("kind",)),
    "existing": Provider(make=_existing, parts=()),
}
