"""Which containers lost a process to the kernel's out-of-memory killer, from the kernel's own log.

Kubernetes knows it from the container runtime, which misses some: a container that is gone before its runtime
has read the event ends with `Error` like any other (one of twelve that were killed at once, containerd 2.1).
A KinD cluster's nodes share their machine's kernel, so one of them can be asked for all. Leaves out when it
was, and what the log's buffer no longer holds.
"""

import re
from pathlib import Path

from loadtest import process
from loadtest.cluster import kind
from loadtest.errors import MachineError

_TIMEOUT_S = 10.0
_VICTIM = re.compile(r"\boom-kill:.*\btask_memcg=\S*/cri-containerd-([0-9a-f]{64})\.scope\b")


def killed_for_memory(cluster: str) -> frozenset[str]:
    """Ids of the containers. Raises MachineError where no node of the cluster tells."""
    nodes = kind.node_containers(cluster, folder=Path())
    if not nodes:
        raise MachineError(f"the cluster {cluster} has no node on this machine")
    log = process.answer(("docker", "exec", nodes[0], "dmesg"), folder=Path(), timeout_s=_TIMEOUT_S)
    return frozenset(_VICTIM.findall(log))
