"""Readings at the very edges of a window, from the nodes' own files, where those can be read.

Prometheus knows a load's last moments only seconds later, and of a short load nothing but the readings far
around it. What is read here just before and just after closes that gap; what lies between stays Prometheus's
to tell. Leaves out how the two become one series: see `joining`.
"""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain

from loadtest.cluster.kubectl import Kubectl, kubectl_for
from loadtest.cluster.node_counters import ContainerCounters, CounterReader
from loadtest.cluster.objects import Pod
from loadtest.errors import LoadTestError
from loadtest.target import ClusterTarget

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Edge:
    """The cluster at one moment: what had been counted, and its pods."""

    counters: tuple[ContainerCounters, ...]
    pods: tuple[Pod, ...]


class Edges:
    """Of one window, as they are read; `problem` says in words why one that should be here is not."""

    def __init__(self) -> None:
        self.read: list[Edge] = []
        self.problem: str | None = None

    @property
    def pods(self) -> tuple[Pod, ...]:
        """Every pod that was there at an edge."""
        return tuple(chain.from_iterable(edge.pods for edge in self.read))

    @property
    def complete(self) -> bool:
        return len(self.read) == 2


def readable(cluster: ClusterTarget) -> bool:
    """Whether the cluster's nodes are containers of this machine."""
    return cluster.provider == "kind"


@contextmanager
def edges_around(cluster: ClusterTarget) -> Iterator[Edges]:
    """Reads an edge on the way in and, unless something is raised, on the way out.

    What cannot be read fails nothing: the value says so.
    """
    edges, kubectl = Edges(), kubectl_for(cluster)
    if not readable(cluster):
        yield edges
        return
    with ExitStack() as reading:
        # The counters as close to the window as can be: last on the way in, first on the way out.
        with _problem_noted(edges):
            nodes = reading.enter_context(CounterReader(cluster.name))
            pods = _pods(kubectl)
            edges.read.append(Edge(counters=nodes.read(), pods=pods))
        yield edges
        if edges.problem:
            return
        with _problem_noted(edges):
            counters = nodes.read()
            edges.read.append(Edge(counters=counters, pods=_pods(kubectl)))


def _pods(kubectl: Kubectl) -> tuple[Pod, ...]:
    return tuple(kubectl.items(Pod, "pods", "--all-namespaces"))


@contextmanager
def _problem_noted(edges: Edges) -> Iterator[None]:
    try:
        yield
    except LoadTestError as error:
        logger.warning("an edge of the window cannot be read: %s", error)
        edges.problem = f"the nodes' own counters are missing: {error.message}"
