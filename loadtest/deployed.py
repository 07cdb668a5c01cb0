"""What a stack's state says of the cluster that it was deployed to: its config may have changed since.

Leaves out what was put into the cluster: Pulumi knows.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from loadtest.errors import LoadTestError
from loadtest.pulumi_cli import PulumiStack, Resource
from loadtest.stack_facts import ClusterFacts, StackFacts

logger = logging.getLogger(__name__)

_STACK = "pulumi:pulumi:Stack"
_CLUSTERS = "loadproof:clusters:"


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """`is_empty` says that nothing was made; `cluster` is None where nobody can tell which it is.

    `server` is the address of a cluster that stays, None where it is not known.
    """

    is_empty: bool
    cluster: ClusterFacts | None
    server: str | None


def read_deployed(stack: PulumiStack, facts: StackFacts) -> Deployed:
    """From the state; where that says nothing, the stack is where its config puts it."""
    try:
        resources = stack.resources()
    except LoadTestError as error:  # what carries the label can go all the same
        logger.warning("what the stack was deployed to is not known: %s", error)
        return Deployed(is_empty=False, cluster=facts.cluster, server=None)
    outputs = _cluster_outputs(resources)
    return Deployed(
        is_empty=all(one.type == _STACK for one in resources),
        cluster=_cluster(outputs, facts.cluster),
        server=outputs.get("server"),
    )


def _cluster_outputs(resources: Sequence[Resource]) -> dict[str, Any]:
    """Those of a cluster that stays first: one that was made is found by its kubeconfig as well."""
    of_clusters = [one.outputs for one in resources if one.type.startswith(_CLUSTERS)]
    return max(of_clusters, key=lambda outputs: bool(outputs.get("stays")), default={})


def _cluster(outputs: dict[str, Any], configured: ClusterFacts | None) -> ClusterFacts | None:
    try:
        then = msgspec.convert(outputs, ClusterFacts)
    except msgspec.ValidationError:
        return configured
    if configured and then.kubeconfig_path and not Path(then.kubeconfig_path).exists():
        return replace(then, kubeconfig_path=configured.kubeconfig_path)
    return then
