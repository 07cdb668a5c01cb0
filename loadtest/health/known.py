"""Whether the ingress knows the pods of the apps: asked where it tells, waited for where it does not.

The right answers of one pod say nothing of the others: a load that came before the ingress knows them would
be carried by fewer than there are.
"""

import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import httpx
import msgspec

from loadtest.cluster.kubectl import Kubectl
from loadtest.cluster.objects import Pod
from loadtest.cluster.port_forward import forwarded_port
from loadtest.cluster.states import newcomers, serves
from loadtest.errors import UnhealthyError
from loadtest.health.checks import Check, attempt, plain_client
from loadtest.target import TargetEnvironment

_NAME = "pods known to the ingress"
# Of ingress-nginx: a port of its pods' loopback, and how long until the last of its workers has read what it
# says there. They look once a second.
_NGINX_PORT = 10246
_NGINX_BACKENDS = "/configuration/backends"
_WORKERS_READ_S = 1.1
_LEAST_S = 0.1


def pods_known(target: TargetEnvironment, kubectl: Kubectl) -> Check:
    check = KnownToNginx if target.ingress.controller == "nginx" else KnownByTime
    return check(target=target, kubectl=kubectl)


@dataclass(frozen=True, kw_only=True)
class KnownByTime:
    """Every pod has been ready for so long that the ingress should know it.

    Leaves out pods that are gone and that it may still think there.
    """

    target: TargetEnvironment
    kubectl: Kubectl
    name: str = _NAME

    def obstacle(self, timeout_s: float) -> str | None:
        return attempt(lambda: newcomers(self._pods(timeout_s), time.time()))

    def _pods(self, timeout_s: float) -> list[Pod]:
        pods = self.kubectl.items(Pod, "pods", "--all-namespaces", timeout_s=timeout_s)
        return [pod for pod in pods if pod.metadata.namespace in _namespaces(self.target)]


@dataclass(frozen=True, kw_only=True)
class KnownToNginx:
    """Every controller of ingress-nginx names the pods that are ready and no others, and its workers have had
    the time to read that.
    """

    target: TargetEnvironment
    kubectl: Kubectl
    name: str = _NAME

    def obstacle(self, timeout_s: float) -> str | None:
        found = attempt(lambda: self._differences(time.monotonic() + timeout_s))
        if found is None:
            time.sleep(_WORKERS_READ_S)
        return found

    def _differences(self, deadline_s: float) -> list[str]:
        pods = self.kubectl.items(Pod, "pods", "--all-namespaces", timeout_s=_left_s(deadline_s))
        serving = [pod for pod in pods if serves(pod)]
        controllers = [pod for pod in serving if pod.metadata.namespace == self.target.ingress.namespace]
        if not controllers:
            return ["no controller of the ingress is ready"]
        apps = _namespaces(self.target)
        wanted = [pod for pod in serving if pod.metadata.namespace in apps]
        return [
            difference
            for controller in controllers
            for difference in differences(wanted, self._known(controller, apps, deadline_s))
        ]

    def _known(self, controller: Pod, apps: Collection[str], deadline_s: float) -> frozenset[str]:
        """The addresses to which this controller sends requests for the apps."""
        name = controller.metadata.name
        with (
            forwarded_port(
                self.kubectl,
                namespace=controller.metadata.namespace,
                to=f"pod/{name}",
                port=_NGINX_PORT,
                timeout_s=_left_s(deadline_s),
            ) as port,
            plain_client(_left_s(deadline_s)) as client,
        ):
            try:
                answer = client.get(f"http://127.0.0.1:{port}{_NGINX_BACKENDS}").raise_for_status()
                backends = msgspec.json.decode(answer.content, type=list[_Backend])
            except (httpx.HTTPError, msgspec.MsgspecError) as error:
                raise UnhealthyError(f"{name} does not say what it knows: {error}") from error
        return frozenset(
            endpoint.address
            for backend in backends
            for endpoint in backend.endpoints
            if any(backend.name.startswith(f"{namespace}-") for namespace in apps)
        )


class _Endpoint(msgspec.Struct):
    address: str


class _Backend(msgspec.Struct):
    """A service, by its namespace, its own name and that of its port."""

    name: str
    endpoints: tuple[_Endpoint, ...] = ()


def differences(pods: Iterable[Pod], known: Collection[str]) -> list[str]:
    """One sentence for each pod whose address is not known, and for each known address that is no pod's."""
    wanted = {pod.status.pod_ip: pod.metadata for pod in pods}
    return [
        f"the ingress does not know pod {pod.namespace}/{pod.name} yet"
        for address, pod in wanted.items()
        if address not in known
    ] + [
        f"the ingress still knows {address}, where no pod is ready"
        for address in known
        if address not in wanted
    ]


def _namespaces(target: TargetEnvironment) -> frozenset[str]:
    return frozenset(app.namespace for app in target.apps)


def _left_s(deadline_s: float) -> float:
    return max(_LEAST_S, deadline_s - time.monotonic())
