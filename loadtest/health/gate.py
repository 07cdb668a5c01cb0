"""Waiting until the stack is healthy, within one time limit for the whole.

First the cluster and Prometheus, all at once; then until the ingress knows every pod; then right answers
from every host through the ingress, asked last so that no change behind them comes after. What is found
wrong comes back with the pods' own words.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Protocol

from loadtest.cluster.kubectl import Kubectl, kubectl_for
from loadtest.cluster.objects import Event, Pod
from loadtest.cluster.states import event_lines, pod_troubles, telling_events, troubled_pods
from loadtest.errors import LoadTestError, UnhealthyError
from loadtest.health.certificate import AnswersOverTls
from loadtest.health.checks import Check, host_checks, namespaces_of, stack_checks
from loadtest.health.known import pods_known
from loadtest.target import TargetEnvironment

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


def wait_healthy(
    target: TargetEnvironment,
    way: Sequence[Check] = (),
    *,
    consecutive: int = 5,
    patience: Patience = Patience(),
    say: Callable[[str], None] = lambda text: None,
) -> HealthReport:
    """Return once everything is as it should be, `way` before any host.

    Raises UnhealthyError when time has run out before that.
    """
    kubectl = kubectl_for(target.cluster)
    report = run_checks(_steps(target, kubectl, way, consecutive), patience=patience, say=say)
    failed = [outcome for outcome in report.checks if outcome.obstacle]
    if failed:
        raise _unhealthy(failed, patience.limit_s, _words_of_pods(kubectl, namespaces_of(target)))
    return report


def _steps(
    target: TargetEnvironment, kubectl: Kubectl, way: Sequence[Check], consecutive: int
) -> tuple[Sequence[Check], ...]:
    secret = target.ingress.certificate_secret
    over_tls = [AnswersOverTls(target=target, secret=secret, kubectl=kubectl)] if secret else []
    known = (pods_known(target, kubectl),)
    return stack_checks(target, kubectl), way, known, (*host_checks(target, consecutive), *over_tls)


def run_checks(
    steps: Iterable[Sequence[Check]], *, patience: Patience, say: Callable[[str], None] = lambda text: None
) -> HealthReport:
    """Each step's checks all at once; a step begins when the one before it has passed."""
    began_s = patience.clock_s()
    outcomes: list[CheckOutcome] = []
    for checks in steps:
        outcomes += _Step(checks, began_s + patience.limit_s, patience).outcomes(say)
        if any(outcome.obstacle for outcome in outcomes):
            break
    return HealthReport(took_s=patience.clock_s() - began_s, checks=tuple(outcomes))


class _Step:
    """Checks that are polled side by side, each in a thread of its own, until passed or out of time."""

    def __init__(self, checks: Sequence[Check], deadline_s: float, patience: Patience) -> None:
        self._checks = checks
        self._deadline_s = deadline_s
        self._patience = patience
        self._stop = threading.Event()
        self._obstacles: dict[str, str] = {}

    def outcomes(self, say: Callable[[str], None]) -> list[CheckOutcome]:
        with ThreadPoolExecutor(max_workers=max(1, len(self._checks))) as pool:
            polls: list[Future[CheckOutcome]] = [pool.submit(self._poll, check) for check in self._checks]
            try:
                while wait(polls, timeout=_SAY_EVERY_S).not_done:
                    self._tell(polls, say)
                return [poll.result() for poll in polls]
            finally:
                self._stop.set()

    def _poll(self, check: Check) -> CheckOutcome:
        clock_s, began_s, attempts = self._patience.clock_s, self._patience.clock_s(), 0
        longest_s = _FIRST_ATTEMPT_S
        while True:
            attempts += 1
            timeout_s = min(longest_s, max(_LAST_ATTEMPT_S, self._deadline_s - clock_s()))
            longest_s = min(2 * longest_s, _ATTEMPT_S)
            obstacle = check.obstacle(timeout_s)
            over = clock_s() + self._patience.interval_s > self._deadline_s or self._stop.is_set()
            if obstacle is None or over:
                self._obstacles.pop(check.name, None)
                return CheckOutcome(
                    name=check.name, took_s=clock_s() - began_s, attempts=attempts, obstacle=obstacle
                )
            self._obstacles[check.name] = obstacle
            self._stop.wait(self._patience.interval_s)

    def _tell(self, polls: Sequence[Future[CheckOutcome]], say: Callable[[str], None]) -> None:
        for poll in polls:
            if poll.done():
                poll.result()  # a defect in one check ends the wait for all
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
