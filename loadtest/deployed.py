"""What a stack's state says of the cluster that it was deployed to: its config may have changed since.

Leaves out what was put into the cluster: Pulumi knows.
"""

import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from loadtest.errors import LoadTestError
from loadtest.pulumi_cli import STACK, PulumiStack, Resource
from loadtest.stack_facts import ClusterFacts, StackFacts

logger = logging.getLogger(__name__)

_CLUSTERS = "loadproof:clusters:"
_COMMAND = "command:local:Command"


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """`is_empty` says that nothing was made; `cluster` is None where nobody can tell which it is.

    `server` is the address of a cluster that stays, None where it is not known. `node_containers` are the ids
    of those that a cluster was made of; none where it was not made, or not to its end.
    """

    is_empty: bool
    cluster: ClusterFacts | None
    server: str | None
    node_containers: tuple[str, ...] = ()


def read_deployed(stack: PulumiStack, facts: StackFacts) -> Deployed:
    """From the state; where that says nothing, the stack is where its config puts it."""
    try:
        resources = stack.resources()
    except LoadTestError as error:  # what carries the label can go all the same
        logger.warning("what the stack was deployed to is not known: %s", error)
        return Deployed(is_empty=False, cluster=facts.cluster, server=None)
    outputs = _cluster_outputs(resources)
    return Deployed(
        is_empty=all(one.type == STACK for one in resources),
        cluster=_cluster(outputs, facts.cluster),
        server=outputs.get("server"),
        node_containers=_node_containers(resources),
    )


def _cluster_outputs(resources: Sequence[Resource]) -> dict[str, Any]:
    """Those of a cluster that stays first: one that was made is found by its kubeconfig as well."""
    of_clusters = [one.outputs for one in resources if one.type.startswith(_CLUSTERS)]
    return max(of_clusters, key=lambda outputs: bool(outputs.get("stays")), default={})


class _Made(msgspec.Struct):
    """What the command that makes a cluster says of it."""

    nodes: tuple[str, ...]


def _node_containers(resources: Sequence[Resource]) -> tuple[str, ...]:
    for one in resources:
        said = one.outputs.get("stdout")
        if one.type == _COMMAND and isinstance(said, str):  # and no secret
            with contextlib.suppress(msgspec.DecodeError):  # as of another command
                return msgspec.json.decode(said, type=_Made).nodes
    return ()


def _cluster(outputs: dict[str, Any], configured: ClusterFacts | None) -> ClusterFacts | None:
    try:
        then = msgspec.convert(outputs, ClusterFacts)
    except msgspec.ValidationError:
        return configured
    moved = then.kubeconfig_path and not Path(then.kubeconfig_path).exists()
    if configured and configured.name == then.name and moved:
        return replace(then, kubeconfig_path=configured.kubeconfig_path)
    return then
