"""Which containers lost a process to the kernel's out-of-memory killer, from the kernel's own log.

Kubernetes knows it from the container runtime, which misses some: a container that is gone before its runtime
has read the event ends with `Error` like any other (one of twelve that were killed at once, containerd 1.6).
A KinD cluster's nodes share their machine's kernel, so one of them can be asked for all. Leaves out when it
was, and whom the log does not name: it names ten in five seconds, and forgets the oldest when it is full.
"""

import re
from pathlib import Path

from loadtest import process
from loadtest.cluster import kind
from loadtest.errors import MachineError

_TIMEOUT_S = 10.0
# Of a single process, and, without a limit to how often it is said, of a container that dies as a whole.
_VICTIM = re.compile(r"(?:\boom-kill:.*\btask_memcg=|\bTasks in )\S*/cri-containerd-([0-9a-f]{64})\.scope\b")


def killed_for_memory(cluster: str) -> frozenset[str]:
    """Ids of the containers. Raises MachineError where no node of the cluster tells."""
    problem = MachineError(f"the cluster {cluster} has no node on this machine")
    for node in kind.node_containers(cluster, folder=Path()):
        try:
            log = process.answer(("docker", "exec", node, "dmesg"), folder=Path(), timeout_s=_TIMEOUT_S)
        except MachineError as error:  # a node that has ended, or a balancer, which has nothing but itself
            problem = error
        else:
            return frozenset(_VICTIM.findall(log))
    raise problem
