"""From an event to the pod or node that it hits, and the means to hit it.

Whatever is hit is the stack's own: pods of its apps and of its ingress in their namespaces, and containers
that the engine knows as nodes of its cluster. Leaves out when it happens: see `executor`.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from loadtest import process
from loadtest.chaos import moves, packet_delay
from loadtest.chaos.lever import ByProgram, Lever, Move
from loadtest.chaos.model import NODE_PREFIX, Action, ChaosEvent
from loadtest.cluster import kind
from loadtest.cluster.kubectl import Kubectl, kubectl_for
from loadtest.cluster.objects import Node, Pod
from loadtest.cluster.states import serves
from loadtest.errors import ChaosError
from loadtest.monitoring.queries import labels_of, pods_of
from loadtest.target import TargetEnvironment

_ANSWER_S = 20.0


class Aimed(Protocol):
    """`victim` says in words what is going to be hit."""

    @property
    def victim(self) -> str: ...

    def strike(self) -> None:
        """Raises LoadTestError where it does not happen."""
        ...

    def undo(self) -> None:
        """Called once, whether struck or not; what is for good stays. Raises LoadTestError as `strike`."""
        ...


@dataclass(frozen=True, kw_only=True)
class _ByLever:
    victim: str
    lever: Lever

    def strike(self) -> None:
        self.lever.pull()

    def undo(self) -> None:
        self.lever.release()


@dataclass(kw_only=True)
class _ByCommand:
    victim: str
    do: Callable[[], object]
    put_right: Callable[[], object] | None = None
    struck: bool = False

    def strike(self) -> None:
        self.struck = True
        self.do()

    def undo(self) -> None:
        if self.struck and self.put_right:
            self.put_right()


class Hands:
    """Aims for any thread; at a pod that was aimed at before only where there is no other."""

    def __init__(self, target: TargetEnvironment) -> None:
        self._target = target
        self._kubectl = kubectl_for(target.cluster)
        self._choosing = threading.Lock()
        self._aimed_at: set[str] = set()

    def prepare(self) -> None:
        """Before the load: the nodes get what they lack."""
        if any(event.action is Action.DELAY for event in self._target.chaos):
            for node in self._kubectl.items(Node, "nodes"):
                packet_delay.bring(node.metadata.name)

    def aim(self, event: ChaosEvent) -> Aimed:
        """Raises LoadTestError where there is no such thing, or it cannot be reached."""
        name = event.target.partition("/")[2]
        if event.target.startswith(NODE_PREFIX):
            return _at_node(event, self._node(name))
        return _at_pod(event, self._pod(event.target, name), self._kubectl)

    def _node(self, name: str) -> str:
        node = f"{self._target.cluster.name}-{name}"
        if node not in kind.node_containers(self._target.cluster.name, folder=Path()):
            raise ChaosError(f"the cluster {self._target.cluster.name} has no node {node}")
        return node

    def _pod(self, words: str, app_name: str) -> Pod:
        with self._choosing:
            ready = [pod for pod in self._pods(app_name) if serves(pod)]
            if not ready:
                raise ChaosError(f"{words} has no pod that is ready")
            pod = min(ready, key=lambda one: (one.metadata.name in self._aimed_at, one.metadata.name))
            self._aimed_at.add(pod.metadata.name)
        return pod

    def _pods(self, app_name: str) -> list[Pod]:
        """Those of an app, or where none is named those of the ingress controller."""
        app = next((one for one in self._target.apps if one.name == app_name), None)
        namespace = app.namespace if app else self._target.ingress.namespace
        pods = self._kubectl.items(Pod, "pods", "--namespace", namespace)
        holds = pods_of(app) if app else lambda labels: True
        return [pod for pod in pods if holds(labels_of(pod))]


def _at_pod(event: ChaosEvent, pod: Pod, kubectl: Kubectl) -> Aimed:
    name, namespace, node = pod.metadata.name, pod.metadata.namespace, pod.spec.node_name
    victim = f"pod {namespace}/{name} on {node}"
    if event.action is Action.DELETE:
        words = (
            "delete",
            "pod",
            name,
            "--namespace",
            namespace,
            "--grace-period=0",
            "--force",
            "--wait=false",
        )
        return _ByCommand(victim=victim, do=lambda: kubectl.text(*words, timeout_s=_ANSWER_S))
    containers = [one.container_id.rpartition("/")[2] for one in pod.status.container_statuses]
    return _ByLever(victim=victim, lever=Lever(node, _POD_MOVES[event.action], *_delay(event), *containers))


def _at_node(event: ChaosEvent, node: str) -> Aimed:
    victim = f"node {node}"
    if event.action is Action.DELAY:
        return _ByLever(victim=victim, lever=Lever(node, moves.DELAY_NODE, *_delay(event)))
    do, put_right = _NODE_COMMANDS[event.action]
    return _ByCommand(victim=victim, do=lambda: _docker(do, node), put_right=lambda: _docker(put_right, node))


def _delay(event: ChaosEvent) -> tuple[str, ...]:
    return () if event.delay_ms is None else (f"{event.delay_ms:g}ms",)


def _docker(verb: str, node: str) -> None:
    process.answer(("docker", verb, node), folder=Path(), timeout_s=_ANSWER_S)


_POD_MOVES: dict[Action, Move | ByProgram] = {
    Action.KILL: moves.KILL_POD,
    Action.FREEZE: moves.FREEZE_POD,
    Action.DELAY: moves.DELAY_POD,
}
_NODE_COMMANDS = {Action.KILL: ("kill", "start"), Action.FREEZE: ("pause", "unpause")}
