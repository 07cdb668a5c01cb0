"""The KinD cluster as the container engine knows it, for what has to work when nothing else does.

Leaves out creating clusters: the Pulumi program does that. Asks the engine by label rather than `kind`, which
would miss the containers of a half-made cluster.
"""

import json
from collections.abc import Collection
from pathlib import Path

from loadtest import process
from loadtest.errors import CleanupError

_TIMEOUT_S = 120.0


def context_of(cluster: str) -> str:
    """By which kind's kubeconfigs name it."""
    return f"kind-{cluster}"


def node_containers(cluster: str, *, folder: Path) -> tuple[str, ...]:
    """Names of the cluster's containers, running or not. Raises MachineError without an engine."""
    return tuple(
        process.answer(
            (
                *("docker", "ps", "--all", "--format", "{{.Names}}"),
                *("--filter", f"label=io.x-k8s.kind.cluster={cluster}"),
            ),
            folder=folder,
            timeout_s=_TIMEOUT_S,
        ).split()
    )


def delete(cluster: str, kubeconfig: Path, *, folder: Path, log: Path, made: Collection[str] = ()) -> None:
    """Delete the cluster by its name, as the Pulumi program does; raises CleanupError where that fails.

    With `made`, ids of node containers, only where it has one of these.
    """
    # The program's own command knows how to delete a node that died frozen. It runs as a process of its own:
    # this package never imports `infra`.
    done = process.run(
        (
            *("env", f"CLUSTER_NAME={cluster}", f"KUBECONFIG_PATH={kubeconfig}"),
            f"PULUMI_COMMAND_STDOUT={json.dumps({'nodes': sorted(made)})}",
            *("python3", "infra/clusters/kind_command.py", "delete"),
        ),
        folder=folder,
        log=log,
        timeout_s=_TIMEOUT_S,
    )
    if not done.succeeded:
        raise CleanupError(
            f"the cluster {cluster} could not be deleted by its name", hint="\n".join(done.tail[-10:])
        )
