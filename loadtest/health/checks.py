"""What healthy means, one check each: a check says what still stands in its way, or nothing.

Leaves out how often and how long to ask: see `gate`.
"""

import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import httpx

from loadtest.cluster.kubectl import Kubectl
from loadtest.cluster.objects import Autoscaler, Node, Workload
from loadtest.cluster.states import idle_autoscalers, unfinished_rollouts, unready_nodes
from loadtest.errors import MonitoringError, UnhealthyError
from loadtest.monitoring.client import PrometheusClient, ScrapeTarget
from loadtest.monitoring.edges import readable
from loadtest.monitoring.queries import Metric, raw_readings, scopes_of
from loadtest.monitoring.reach import reached
from loadtest.target import AppTarget, IngressTarget, TargetEnvironment

_BODY_CHARACTERS = 80
_RECENT_S = 60.0
_TRIES = 5
_SYSTEM = "kube-system"
NODES_POOL = "cadvisor"  # Prometheus' name for what it scrapes of the nodes


class Check(Protocol):
    @property
    def name(self) -> str: ...

    def obstacle(self, timeout_s: float) -> str | None:
        """What stands in the way, in words; None where nothing does. Takes `timeout_s` at most."""
        ...


@dataclass(frozen=True, kw_only=True)
class NodesReady:
    kubectl: Kubectl
    expected: int
    name: str = "nodes"

    def obstacle(self, timeout_s: float) -> str | None:
        return attempt(
            lambda: unready_nodes(self.kubectl.items(Node, "nodes", timeout_s=timeout_s), self.expected)
        )


@dataclass(frozen=True, kw_only=True)
class RolloutsComplete:
    kubectl: Kubectl
    namespaces: frozenset[str]
    name: str = "rollouts"

    def obstacle(self, timeout_s: float) -> str | None:
        def unfinished() -> list[str]:
            kinds = ("deployments,statefulsets,daemonsets", "--all-namespaces")
            found = self.kubectl.items(Workload, *kinds, timeout_s=timeout_s)
            return unfinished_rollouts(list(filter(_matters, found)), self.namespaces)

        return attempt(unfinished)


def _matters(workload: Workload) -> bool:
    """Of the system only what every node needs. Its name service starts seconds later than all else, and a
    service that needs names is not ready without it."""
    return workload.metadata.namespace != _SYSTEM or workload.kind == "DaemonSet"


@dataclass(frozen=True, kw_only=True)
class AutoscalersActive:
    """Every autoscaler has figures to decide by: a load that came before them would test none."""

    kubectl: Kubectl
    apps: tuple[AppTarget, ...]
    name: str = "autoscalers"

    def obstacle(self, timeout_s: float) -> str | None:
        def idle() -> list[str]:
            kind = ("horizontalpodautoscalers", "--all-namespaces")
            found = self.kubectl.items(Autoscaler, *kind, timeout_s=timeout_s)
            return idle_autoscalers(found, [(app.namespace, app.name) for app in self.apps])

        return attempt(idle)


@dataclass(frozen=True, kw_only=True)
class PrometheusWatching:
    """Prometheus is ready and all it scrapes answers.

    Where a load's edges cannot be read elsewhere, it has readings of every app and the ingress, too.
    """

    target: TargetEnvironment
    kubectl: Kubectl
    name: str = "prometheus"

    def obstacle(self, timeout_s: float) -> str | None:
        def unwatched() -> list[str]:
            with reached(self.target.monitoring, self.kubectl, timeout_s=timeout_s, retries=0) as client:
                client.check_ready()
                found = client.targets()
                return self._unfound(found) or targets_not_up(found) or self._unseen(client)

        return attempt(unwatched)

    def _unfound(self, targets: Sequence[ScrapeTarget]) -> list[str]:
        """It knows itself from the start; the nodes, of which most figures are, it has to find."""
        found, wanted = sum(one.scrape_pool == NODES_POOL for one in targets), self.target.cluster.nodes or 1
        return [] if found >= wanted else [f"Prometheus has found {found} of {wanted} nodes to scrape"]

    def _unseen(self, client: PrometheusClient) -> list[str]:
        if readable(self.target.cluster):
            return []
        rows = client.readings(raw_readings(Metric.CPU_SECONDS, _RECENT_S))
        return [
            f"Prometheus has no readings of {scope.name} yet"
            for scope in scopes_of(self.target.apps, self.target.ingress)
            if not any(scope.holds(row.labels) for row in rows)
        ]


def targets_not_up(targets: Sequence[ScrapeTarget]) -> list[str]:
    return [
        f"target {one.scrape_pool} {one.scrape_url} is {one.health}"
        + (f": {one.last_error}" * bool(one.last_error))
        for one in targets
        if one.health != "up"
    ]


@dataclass(frozen=True, kw_only=True)
class HostAnswers:
    """The app's own body, `consecutive` times in a row, each over a connection of its own.

    A connection of its own each time: after a reload an old worker of the ingress goes on serving the
    connections it has.
    """

    app: AppTarget
    ingress: IngressTarget
    consecutive: int

    @property
    def name(self) -> str:
        return f"answers of {self.app.host}"

    def obstacle(self, timeout_s: float) -> str | None:
        url = _url(self.ingress, self.app)
        with plain_client(timeout_s / self.consecutive) as client:
            for number in range(1, self.consecutive + 1):
                if wrong := wrong_answer(client, url, self.app):
                    return f"answer {number} of {self.consecutive}: {wrong}"
        return None


@dataclass(frozen=True, kw_only=True)
class FirstAnswer:
    """The app's own body, once: until the way through the cluster is open, requests are lost on it.

    One that is lost is not waited for long, as the next may find the way.
    """

    app: AppTarget
    ingress: IngressTarget

    @property
    def name(self) -> str:
        return f"first answer of {self.app.host}"

    def obstacle(self, timeout_s: float) -> str | None:
        wait_s, give_up_s = timeout_s / _TRIES, time.monotonic() + timeout_s
        with plain_client(wait_s) as client:
            while True:
                began_s = time.monotonic()
                wrong = wrong_answer(client, _url(self.ingress, self.app), self.app)
                was_lost = time.monotonic() - began_s >= wait_s
                if wrong is None or not was_lost or time.monotonic() + wait_s > give_up_s:
                    return wrong


def _url(ingress: IngressTarget, app: AppTarget) -> str:
    return f"http://{ingress.address}:{ingress.port}{app.path}"


def plain_client(timeout_s: float) -> httpx.Client:
    """For what is not asked over TLS. Close it, by `with`."""
    # A TLS context of no authorities: nothing here is asked over TLS, and loading them takes 40 ms each time.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx.Client(timeout=timeout_s, trust_env=False, verify=context)


def wrong_answer(
    client: httpx.Client, url: str, app: AppTarget, extensions: Mapping[str, str] = MappingProxyType({})
) -> str | None:
    """What is wrong with the app's answer, over a connection of its own; None where it is right."""
    headers = {"Host": app.host, "Connection": "close"}
    try:
        response = client.get(url, headers=headers, extensions=dict(extensions))
    except httpx.HTTPError as error:
        return f"{type(error).__name__}: {error}"
    if response.status_code != httpx.codes.OK:
        return f"status {response.status_code}"
    body = response.text.strip()
    return (
        None
        if body == app.expected_body.strip()
        else f"the body is {body[:_BODY_CHARACTERS]!r}, not {app.expected_body!r}"
    )


def namespaces_of(target: TargetEnvironment) -> frozenset[str]:
    """The stack's own; in a cluster made for it the system's as well, which a Ready node may lack."""
    own = {target.ingress.namespace, target.monitoring.namespace} | {app.namespace for app in target.apps}
    return frozenset(own | {_SYSTEM} if target.cluster.provider == "kind" else own)


def stack_checks(target: TargetEnvironment, kubectl: Kubectl) -> tuple[Check, ...]:
    """Those on which no pod of an app depends."""
    nodes = target.cluster.nodes
    return (
        *([] if nodes is None else [NodesReady(kubectl=kubectl, expected=nodes)]),
        PrometheusWatching(target=target, kubectl=kubectl),
    )


def autoscaler_checks(target: TargetEnvironment, kubectl: Kubectl) -> tuple[Check, ...]:
    scaled = tuple(app for app in target.apps if app.autoscaler)
    return (AutoscalersActive(kubectl=kubectl, apps=scaled),) if scaled else ()


def host_checks(target: TargetEnvironment, consecutive: int) -> tuple[Check, ...]:
    return tuple(HostAnswers(app=app, ingress=target.ingress, consecutive=consecutive) for app in target.apps)


def attempt(problems: Callable[[], list[str]]) -> str | None:
    """The problems as one text; a question that cannot be asked yet is one as well."""
    try:
        found = problems()
    except (UnhealthyError, MonitoringError) as error:
        return error.message
    return "; ".join(found) or None
