"""Whether the ingress knows the pods of the apps: asked where it tells, waited for where it does not.

The right answers of one pod say nothing of the others: a load that came before the ingress knows them would
be carried by fewer than there are.
"""

import time
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import httpx
import msgspec

from loadtest.cluster.kubectl import ContainerLog, Kubectl
from loadtest.cluster.objects import Pod
from loadtest.cluster.port_forward import KeptForwards, PodPort
from loadtest.cluster.states import newcomers, serves
from loadtest.errors import MonitoringError, UnhealthyError
from loadtest.health.checks import Check, attempt, plain_client
from loadtest.monitoring.queries import labels_of, pods_of
from loadtest.target import TargetEnvironment

_NAME = "pods known to the ingress"
# Of ingress-nginx: the label of its controllers, a port of their pods' loopback, and what their container's
# log says, at that verbosity, when something new was put there.
_CONTROLLER = "--selector=app.kubernetes.io/component=controller"
_BACKENDS_PORT, _BACKENDS_PATH = 10246, "/configuration/backends"
_CONTAINER, _VERBOSITY, NEWS = "controller", "--v=2", "Dynamic reconfiguration succeeded"
# Their workers look once a second, and on a busy machine a little late.
_LOOK_EVERY_S, _LATE_S = 1, 0.1


def pods_known(target: TargetEnvironment, kubectl: Kubectl, forwards: KeptForwards) -> Check:
    if not _tells(target):
        return KnownByTime(target=target, kubectl=kubectl)
    return KnownToNginx(target=target, kubectl=kubectl, forwards=forwards)


def ways_to_ask(target: TargetEnvironment, kubectl: Kubectl, forwards: KeptForwards) -> tuple[Check, ...]:
    """What `pods_known` takes a quarter of a second for, better done while all else comes up."""
    return (WayToNginx(target=target, kubectl=kubectl, forwards=forwards),) if _tells(target) else ()


def _tells(target: TargetEnvironment) -> bool:
    return target.ingress.controller == "nginx"


@dataclass(frozen=True, kw_only=True)
class KnownByTime:
    """Every pod has been ready for so long that the ingress should know it.

    Leaves out pods that are gone and that it may still think there. By the clocks of cluster and machine:
    where the cluster's is seconds behind, nothing is waited for.
    """

    target: TargetEnvironment
    kubectl: Kubectl
    name: str = _NAME

    def obstacle(self, timeout_s: float) -> str | None:
        return attempt(lambda: newcomers(_pods_of_apps(self.target, self.kubectl, timeout_s), time.time()))


@dataclass(frozen=True, kw_only=True)
class WayToNginx:
    """A controller of ingress-nginx runs, ready or not, and the way to every one that does was opened.

    Where it cannot be that is no obstacle here: who asks that way tries again, and says why not.
    """

    target: TargetEnvironment
    kubectl: Kubectl
    forwards: KeptForwards
    name: str = "way to the ingress's own words"

    def obstacle(self, timeout_s: float) -> str | None:
        return attempt(lambda: self._closed(timeout_s))

    def _closed(self, timeout_s: float) -> list[str]:
        controllers = _controllers(self.target, self.kubectl, timeout_s)
        running = [
            one
            for one in controllers
            if one.status.phase == "Running" and not one.metadata.deletion_timestamp
        ]
        for one in running:
            with suppress(MonitoringError):
                self.forwards.port(_backends(one), timeout_s / len(running))
        return [] if running else ["no controller of the ingress runs"]


@dataclass(frozen=True, kw_only=True)
class KnownToNginx:
    """Every controller of ingress-nginx names the pods that are ready and no others, and its workers know.

    Nobody tells what a worker knows, but the controller's log when there was news for them to read. Leaves
    out a worker that misses a change because another came in the same second.
    """

    target: TargetEnvironment
    kubectl: Kubectl
    forwards: KeptForwards
    name: str = _NAME

    def obstacle(self, timeout_s: float) -> str | None:
        return attempt(lambda: self._unknown(timeout_s))

    def _unknown(self, timeout_s: float) -> list[str]:
        serving = [one for one in _controllers(self.target, self.kubectl, timeout_s) if serves(one)]
        if not serving:
            return ["no controller of the ingress is ready"]
        pods = [pod for pod in _pods_of_apps(self.target, self.kubectl, timeout_s) if serves(pod)]
        began_s = time.monotonic()
        found = [
            difference
            for controller in serving
            for difference in differences(pods, self._known(controller, timeout_s))
        ]
        return found or self._unread(serving, began_s, timeout_s)

    def _unread(self, controllers: Sequence[Pod], asked_s: float, timeout_s: float) -> list[str]:
        """What the last of their workers may not have read yet, but for what takes no longer than it waits.

        After a second without news each worker has read all that its controller had told when it was asked.
        A second later than that, ask anew.
        """
        while True:
            told = self._told(controllers, timeout_s)
            time.sleep(_LATE_S)
            # Once more, as news comes to the workers a moment sooner than into the log.
            told += self._told(controllers, timeout_s)
            if None in told:  # nobody can tell
                time.sleep(_LOOK_EVERY_S)
                return []
            if not any(told):
                return []
            if time.monotonic() - asked_s > _LOOK_EVERY_S:
                return ["the ingress had news for its workers within the last second"]

    def _told(self, controllers: Sequence[Pod], timeout_s: float) -> list[bool | None]:
        return [self._news(one, timeout_s) if _tells_of_news(one) else None for one in controllers]

    def _news(self, controller: Pod, timeout_s: float) -> bool | None:
        """Whether its workers may have got some since the last of them looked; None where nobody can tell."""
        log = ContainerLog(
            namespace=controller.metadata.namespace,
            pod=controller.metadata.name,
            container=_CONTAINER,
            since_s=_LOOK_EVERY_S,
        )
        try:
            return NEWS in self.kubectl.log(log, timeout_s=timeout_s)
        except UnhealthyError:  # as where one may look at the cluster's pods and not into their logs
            return None

    def _known(self, controller: Pod, timeout_s: float) -> frozenset[str]:
        """The addresses to which this controller sends requests for the apps."""
        at = _backends(controller)
        try:
            backends = self._told_backends(at, timeout_s)
        except (httpx.HTTPError, ValueError) as error:
            self.forwards.drop(at)  # it may lead elsewhere by now
            raise UnhealthyError(f"{controller.metadata.name} does not say what it knows: {error}") from error
        ours = tuple(f"{namespace}-" for namespace in _namespaces(self.target))
        return frozenset(
            endpoint.address
            for backend in backends
            if backend.name.startswith(ours)
            for endpoint in backend.endpoints
        )

    def _told_backends(self, at: PodPort, timeout_s: float) -> "list[_Backend]":
        port = self.forwards.port(at, timeout_s)
        with plain_client(timeout_s) as client:
            answer = client.get(f"http://127.0.0.1:{port}{_BACKENDS_PATH}")
        if answer.status_code != httpx.codes.OK:
            raise ValueError(f"status {answer.status_code}")
        return msgspec.json.decode(answer.content, type=list[_Backend])


class _Endpoint(msgspec.Struct):
    address: str


class _Backend(msgspec.Struct):
    """A service, by its namespace, its own name and that of its port."""

    name: str
    endpoints: tuple[_Endpoint, ...] = ()


def _controllers(target: TargetEnvironment, kubectl: Kubectl, timeout_s: float) -> list[Pod]:
    where = f"--namespace={target.ingress.namespace}"
    return kubectl.items(Pod, "pods", where, _CONTROLLER, timeout_s=timeout_s)


def _backends(controller: Pod) -> PodPort:
    of = controller.metadata
    return PodPort(namespace=of.namespace, pod=of.name, port=_BACKENDS_PORT)


def _tells_of_news(controller: Pod) -> bool:
    return any(one.name == _CONTAINER and _VERBOSITY in one.args for one in controller.spec.containers)


def differences(pods: Iterable[Pod], known: Collection[str]) -> list[str]:
    """One sentence for each pod whose address is not known, and for each known address that is no pod's."""
    wanted = {pod.status.pod_ip: pod.metadata for pod in pods}
    unknown = [pod for address, pod in wanted.items() if address not in known]
    gone = [address for address in known if address not in wanted]
    return [f"the ingress does not know pod {pod.namespace}/{pod.name} yet" for pod in unknown] + [
        f"the ingress still knows {address}, where no pod is ready" for address in gone
    ]


def _pods_of_apps(target: TargetEnvironment, kubectl: Kubectl, timeout_s: float) -> list[Pod]:
    """And none that somebody else put beside them."""
    found = [
        pod
        for namespace in sorted(_namespaces(target))
        for pod in kubectl.items(Pod, "pods", f"--namespace={namespace}", timeout_s=timeout_s)
    ]
    ours = [pods_of(app) for app in target.apps]
    return [pod for pod in found if any(holds(labels_of(pod)) for holds in ours)]


def _namespaces(target: TargetEnvironment) -> frozenset[str]:
    return frozenset(app.namespace for app in target.apps)
