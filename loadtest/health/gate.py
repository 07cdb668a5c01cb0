"""Waiting until the stack is healthy, within one time limit for the whole.

The cluster, Prometheus and a way to ask the ingress all at once; as soon as every rollout is complete, until
the ingress knows every pod and lets through to every host; at last right answers from every host, asked once
more so that no change behind them comes after. What is found wrong comes back with the pods' own words.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from loadtest.cluster.kubectl import Kubectl
from loadtest.cluster.objects import Event, Pod
from loadtest.cluster.port_forward import KeptForwards, kept_forwards
from loadtest.cluster.states import event_lines, pod_troubles, telling_events, troubled_pods
from loadtest.errors import LoadTestError, UnhealthyError
from loadtest.health.certificate import AnswersOverTls
from loadtest.health.checks import (
    Check,
    FirstAnswer,
    RolloutsComplete,
    autoscaler_checks,
    host_checks,
    namespaces_of,
    stack_checks,
)
from loadtest.health.known import pods_known, ways_to_ask
from loadtest.target import TargetEnvironment

logger = logging.getLogger(__name__)

_ATTEMPT_S = 5.0
# Each attempt may take twice as long as the one before: a connection whose first packet came to a port that
# led nowhere yet is tried again by the system after a whole second, a new one finds the way at once.
_FIRST_ATTEMPT_S = 1.0
_LAST_ATTEMPT_S = 2.0  # even past the limit: cut shorter it would only say that it was cut short
_SAY_EVERY_S = 0.5
_EVENT_LINES = 10


@dataclass(frozen=True, kw_only=True)
class CheckOutcome:
    """`obstacle` is what stood in the way at the last attempt; None where the check passed."""

    name: str
    took_s: float
    attempts: int
    obstacle: str | None


@dataclass(frozen=True, kw_only=True)
class HealthReport:
    took_s: float
    checks: tuple[CheckOutcome, ...]


class Clock(Protocol):
    def __call__(self) -> float:
        """Seconds that never go back."""
        ...


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long to wait for the whole, and how long between two attempts."""

    limit_s: float = 180.0
    interval_s: float = 0.2
    clock_s: Clock = time.monotonic


# Checks that are asked side by side, and after them the next ones.
Steps: TypeAlias = Sequence[Sequence[Check]]


def wait_healthy(
    target: TargetEnvironment,
    kubectl: Kubectl,
    way: Sequence[Check] = (),
    *,
    consecutive: int = 5,
    patience: Patience = Patience(),
    say: Callable[[str], None] = lambda text: None,
) -> HealthReport:
    """Return once everything is as it should be, `way` before any host.

    Raises UnhealthyError when time has run out before that.
    """
    with kept_forwards(kubectl) as forwards:
        tracks, last = _tracks(target, kubectl, way, forwards), _last(target, kubectl, consecutive)
        report = run_checks(tracks, last, patience=patience, say=say)
    failed = [outcome for outcome in report.checks if outcome.obstacle]
    if failed:
        raise _unhealthy(failed, patience.limit_s, _words_of_pods(kubectl, namespaces_of(target)))
    return report


def _tracks(
    target: TargetEnvironment, kubectl: Kubectl, way: Sequence[Check], forwards: KeptForwards
) -> Sequence[Steps]:
    rollouts = RolloutsComplete(kubectl=kubectl, namespaces=namespaces_of(target))
    # An autoscaler that begins to decide may ask for more pods.
    autoscalers = autoscaler_checks(target, kubectl)
    # The way through the cluster to a pod opens a second or two after the pod is ready, which need not be
    # waited for when the ingress itself is through with it.
    firsts = [FirstAnswer(app=app, ingress=target.ingress) for app in target.apps]
    through = [pods_known(target, kubectl, forwards), *firsts]
    beside = (*stack_checks(target, kubectl), *ways_to_ask(target, kubectl, forwards))
    others = [[[check]] for check in beside]
    return [*others, [autoscalers, [rollouts], way, through]]


def _last(target: TargetEnvironment, kubectl: Kubectl, consecutive: int) -> Sequence[Check]:
    secret = target.ingress.certificate_secret
    over_tls = [AnswersOverTls(target=target, secret=secret, kubectl=kubectl)] if secret else []
    return (*host_checks(target, consecutive), *over_tls)


def run_checks(
    tracks: Sequence[Steps],
    last: Sequence[Check] = (),
    *,
    patience: Patience,
    say: Callable[[str], None] = lambda text: None,
) -> HealthReport:
    """Tracks side by side, the steps of each one after another; `last` when all have passed.

    What the last track came to is asked again where another one took longer: it may have changed meanwhile.
    """
    polls = _Polls(patience)
    outcomes = polls.outcomes(tracks, say)
    if not any(outcome.obstacle for outcome in outcomes):
        again = [] if polls.ended_last(tracks[-1]) else [tracks[-1][-1]]
        outcomes += polls.outcomes([[*again, last]], say)
    return HealthReport(took_s=polls.took_s(), checks=tuple(outcomes))


class _Polls:
    """Checks that are polled, each in a thread of its own, until passed or out of time."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._began_s = patience.clock_s()
        self._stop = threading.Event()
        self._obstacles: dict[str, str] = {}
        self._ended: list[Steps] = []

    def ended_last(self, track: Steps) -> bool:
        return self._ended[-1] is track

    def took_s(self) -> float:
        return self._patience.clock_s() - self._began_s

    def outcomes(self, tracks: Sequence[Steps], say: Callable[[str], None]) -> list[CheckOutcome]:
        with ThreadPoolExecutor(max_workers=max(1, len(tracks))) as pool:
            ends: list[Future[list[CheckOutcome]]] = [pool.submit(self._track, steps) for steps in tracks]
            try:
                while wait(ends, timeout=_SAY_EVERY_S).not_done:
                    self._tell(say)
                return [outcome for end in ends for outcome in end.result()]
            except BaseException:
                self._stop.set()
                raise

    def _track(self, steps: Steps) -> list[CheckOutcome]:
        outcomes: list[CheckOutcome] = []
        for checks in steps:
            with ThreadPoolExecutor(max_workers=max(1, len(checks))) as pool:
                outcomes += pool.map(self._poll, checks)
            if self._stop.is_set() or any(outcome.obstacle for outcome in outcomes):
                break
        self._ended.append(steps)
        return outcomes

    def _poll(self, check: Check) -> CheckOutcome:
        clock_s, began_s, attempts = self._patience.clock_s, self._patience.clock_s(), 0
        deadline_s = self._began_s + self._patience.limit_s
        longest_s = _FIRST_ATTEMPT_S
        while True:
            attempts += 1
            timeout_s = min(longest_s, max(_LAST_ATTEMPT_S, deadline_s - clock_s()))
            longest_s = min(2 * longest_s, _ATTEMPT_S)
            obstacle = self._asked(check, timeout_s)
            over = clock_s() + self._patience.interval_s > deadline_s or self._stop.is_set()
            if obstacle is None or over:
                self._obstacles.pop(check.name, None)
                return CheckOutcome(
                    name=check.name, took_s=clock_s() - began_s, attempts=attempts, obstacle=obstacle
                )
            if obstacle != self._obstacles.get(check.name):
                logger.info("waiting", extra={"check": check.name, "obstacle": obstacle})
            self._obstacles[check.name] = obstacle
            self._stop.wait(self._patience.interval_s)

    def _asked(self, check: Check, timeout_s: float) -> str | None:
        try:
            return check.obstacle(timeout_s)
        except BaseException:
            self._stop.set()  # a defect in one check ends the wait for all
            raise

    def _tell(self, say: Callable[[str], None]) -> None:
        if waiting := dict(self._obstacles):
            say("; ".join(f"{name}: {obstacle}" for name, obstacle in waiting.items()))


def _unhealthy(failed: Sequence[CheckOutcome], limit_s: float, words: Sequence[str]) -> UnhealthyError:
    reasons = [f"{outcome.name}: {outcome.obstacle}" for outcome in failed]
    return UnhealthyError(
        "\n".join([f"not healthy after {limit_s:.0f} s: " + "; ".join(reasons), *words]),
        hint="diagnostics/ among the artifacts has the pods' descriptions and logs; "
        "`python -m loadtest pipeline --keep` leaves the cluster up.",
    )


def _words_of_pods(kubectl: Kubectl, namespaces: Collection[str]) -> list[str]:
    """What the pods that do not work, and the events of their namespaces, have to say."""
    try:
        pods = kubectl.items(Pod, "pods", "--all-namespaces")
        events = kubectl.items(Event, "events", "--all-namespaces")
    except LoadTestError as error:
        return [f"the cluster could not be asked why: {error.message}"]
    ours = [pod for pod in pods if pod.metadata.namespace in namespaces]
    theirs = [event for event in events if event.metadata.namespace in namespaces]
    telling = telling_events(theirs, troubled_pods(ours))
    return [*pod_troubles(ours), *event_lines(telling)[-_EVENT_LINES:]]
