"""Readings at the very edges of a window: of the nodes' own files, the pods, and the machine.

Prometheus knows a load's last moments only seconds later, and of a short load nothing but the readings far
around it. What is read here just before and just after closes that gap where the nodes are containers of
this machine; what lies between stays Prometheus's to tell. Leaves out how the two become one series: see
`joining`.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

from loadtest import machine
from loadtest.cluster import kernel_log
from loadtest.cluster.kubectl import Kubectl
from loadtest.cluster.node_counters import CounterReader
from loadtest.cluster.node_files import NodeCounters
from loadtest.cluster.objects import ContainerStuck, Pod
from loadtest.errors import LoadTestError
from loadtest.machine import MachineReading
from loadtest.target import ClusterTarget

logger = logging.getLogger(__name__)


class Edges:
    """Of one window, as they are read; `problem` says in words why what should be here is not.

    `nodes` and `machine` are readings of the cluster's nodes and of this machine, in the order of time. Pods
    are None where they could not be listed. `oom_killed` are ids of containers, from the kernel's log, which
    is read only where a container ended between the edges and nothing else says why.
    """

    def __init__(self) -> None:
        self.nodes: list[tuple[NodeCounters, ...]] = []
        self.machine: list[MachineReading] = []
        self.pods_before: tuple[Pod, ...] | None = None
        self.pods_after: tuple[Pod, ...] | None = None
        self.oom_killed: frozenset[str] = frozenset()
        self.problem: str | None = None
        self._reader: CounterReader | None = None

    @property
    def pods(self) -> tuple[Pod, ...]:
        """Every pod that was there at an edge, and again as it was at the end."""
        return (*(self.pods_before or ()), *(self.pods_after or ()))

    @property
    def complete(self) -> bool:
        """Whether the nodes were read at both edges and it is known what was found on them."""
        return len(self.nodes) > 1 and self.pods_after is not None

    def open(self, reader: CounterReader, reading: ExitStack) -> None:
        with self._problem_noted():
            self._reader = reading.enter_context(reader)

    @contextmanager
    def around(self, cluster: ClusterTarget, kubectl: Kubectl) -> Iterator[None]:
        """Reads an edge on the way in and, unless something is raised, on the way out.

        What cannot be read fails nothing: `problem` says so.
        """
        with self._problem_noted():
            self.pods_before = _pods(kubectl)
        # For those whose load begins before they know: and a shell's first answer takes the longest.
        self.begin()
        yield
        self.end()
        with self._problem_noted():
            self.pods_after = _pods(kubectl)
        if readable(cluster):
            self._read_kernel_log(cluster.name)

    def _read_kernel_log(self, cluster: str) -> None:
        known = {end.container_id for end in _ends(self.pods_before)}
        if all(end.container_id in known or not end.unexplained for end in _ends(self.pods_after)):
            return
        try:
            self.oom_killed = kernel_log.killed_for_memory(cluster)
        except LoadTestError as error:
            logger.warning("the kernel's log cannot be read: %s", error)

    def begin(self) -> None:
        """To be called right before the window's first moment: the later, the less idle time is in it."""
        self._read_nodes()
        self.machine.append(machine.read_now())

    def end(self) -> None:
        self.machine.append(machine.read_now())
        self._read_nodes()

    def _read_nodes(self) -> None:
        with self._problem_noted():
            if self._reader:
                self.nodes.append(self._reader.read())

    @contextmanager
    def _problem_noted(self) -> Iterator[None]:
        """Half of a window is none: after a failure the nodes are not read any more."""
        try:
            yield
        except LoadTestError as error:
            logger.warning("an edge of the window cannot be read: %s", error)
            self.problem = f"readings at the load's edges are missing: {error.message}"
            self.nodes.clear()
            self._reader = None


def readable(cluster: ClusterTarget) -> bool:
    """Whether the cluster's nodes are containers of this machine."""
    return cluster.provider == "kind"


@contextmanager
def ready_edges(cluster: ClusterTarget) -> Iterator[Edges]:
    """With a shell on every node, which takes a moment to come up: the sooner, the less is waited for it."""
    edges = Edges()
    with ExitStack() as reading:
        if readable(cluster):
            edges.open(CounterReader(cluster.name), reading)
        yield edges


def _ends(pods: Iterable[Pod] | None) -> Iterator[ContainerStuck]:
    for pod in pods or ():
        for status in pod.status.container_statuses:
            yield from status.ends


def _pods(kubectl: Kubectl) -> tuple[Pod, ...]:
    return tuple(kubectl.items(Pod, "pods", "--all-namespaces"))
