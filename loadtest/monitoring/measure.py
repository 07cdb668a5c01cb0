"""Measuring: the load window that has just passed, or a window from now on.

Where the window's edges were read there is nothing to wait for. Elsewhere readings of a load's last moments
reach Prometheus only some seconds later (cAdvisor reads a busy container every one to two seconds, then comes
the next scrape), so `measure` waits for them, within a bound.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from loadtest.cluster.kubectl import Kubectl, kubectl_for
from loadtest.cluster.objects import Pod
from loadtest.cluster.states import host_network_pods
from loadtest.errors import MonitoringError, UsageError
from loadtest.monitoring.client import PrometheusClient
from loadtest.monitoring.clock import clock_problem
from loadtest.monitoring.edges import Edges, readable, ready_edges
from loadtest.monitoring.grafana import with_dashboard
from loadtest.monitoring.joining import joined
from loadtest.monitoring.machine_use import machine_use
from loadtest.monitoring.model import ResourceUsage
from loadtest.monitoring.queries import LOOKBACK_S, Metric, raw_readings, scopes_of
from loadtest.monitoring.reach import reached
from loadtest.monitoring.readings import span_of
from loadtest.monitoring.replicas import with_replicas
from loadtest.monitoring.resources import Question, Readings, relevant, settled, usage_from
from loadtest.monitoring.restarts import with_restarts
from loadtest.sample import LoadWindow
from loadtest.target import TargetEnvironment

logger = logging.getLogger(__name__)

_POLL_S = 0.25
_CADVISOR_REFRESH_S = 2.0  # at most, of a busy container, at the kubelet's housekeeping interval of 1 s

_NOTHING: Readings = dict.fromkeys(Metric, ())

Say = Callable[[str], None]
Sleep = Callable[[float], None]


def measure(
    target: TargetEnvironment,
    window: LoadWindow,
    requests: Mapping[str, int],
    *,
    edges: Edges,
    kubectl: Kubectl,
    say: Say = lambda text: None,
    interval_s: float | None = None,
) -> ResourceUsage:
    """What the cluster used during the window. `requests` counts the load's requests by host.

    Raises, unless both edges tell the most of it, MonitoringError where Prometheus cannot be asked and
    UnhealthyError where the cluster cannot.
    """
    pods = edges.pods_after
    if pods is None:
        pods = tuple(kubectl.items(Pod, "pods", "--all-namespaces"))
    question = Question(
        window=window,
        scopes=scopes_of(target.apps, target.ingress),
        scrape_interval_s=target.monitoring.scrape_interval_s,
        requests=requests,
        host_network_pods=host_network_pods((*edges.pods, *pods)),
        interval_s=interval_s,
    )
    usage = with_restarts(_usage(target, kubectl, question, edges, say), question.scopes, edges)
    usage = with_replicas(usage, target.apps, pods)
    return with_dashboard(usage, target.monitoring.grafana, pods)


def _usage(
    target: TargetEnvironment, kubectl: Kubectl, question: Question, edges: Edges, say: Say
) -> ResourceUsage:
    try:
        with reached(target.monitoring, kubectl) as client:
            usage = ask(client, question, edges=edges, say=say)
            problem = None if readable(target.cluster) else clock_problem(client)
            return replace(usage, problems=(*usage.problems, problem)) if problem else usage
    except MonitoringError as error:
        if not edges.complete:
            raise
        readings = relevant(joined(_NOTHING, edges), question)
        return usage_from(readings, question, waited_s=0.0, problems=(error.message,))


def ask(
    client: PrometheusClient,
    question: Question,
    *,
    edges: Edges,
    say: Say = lambda text: None,
    sleep: Sleep = time.sleep,
    unix_s: Callable[[], float] = time.time,
) -> ResourceUsage:
    """Fetch readings until they reach past the window, or until waiting on would help no more."""
    began_s = unix_s()
    limit_s = began_s + 2 * question.scrape_interval_s + _CADVISOR_REFRESH_S
    while True:
        readings = relevant(joined(_fetch(client, question, unix_s()), edges), question)
        if edges.complete or settled(readings, question) or unix_s() + _POLL_S > limit_s:
            problems = (edges.problem,) if edges.problem else ()
            return usage_from(readings, question, waited_s=unix_s() - began_s, problems=problems)
        say("waiting for readings newer than the load")
        sleep(_POLL_S)


def watch(
    target: TargetEnvironment,
    *,
    duration_s: float,
    interval_s: float,
    say: Say = lambda text: None,
    sleep: Sleep = time.sleep,
    unix_ns: Callable[[], int] = time.time_ns,
) -> ResourceUsage:
    """What the cluster uses from now on for `duration_s`, from at most one reading an `interval_s`."""
    if problems := _watch_problems(target.monitoring.scrape_interval_s, duration_s, interval_s):
        raise UsageError("; ".join(problems), hint="Prometheus can tell no more than it scrapes.")
    kubectl = kubectl_for(target.cluster)
    with ready_edges(target.cluster) as edges, edges.around(target.cluster, kubectl):
        logger.info("the window begins")
        started_unix_ns = unix_ns()
        ended_unix_ns = started_unix_ns + round(duration_s * 1e9)
        while (left_s := (ended_unix_ns - unix_ns()) / 1e9) > 0:
            say(f"{left_s:.0f} s left to watch")
            sleep(min(interval_s, left_s))
    window = LoadWindow(started_unix_ns=started_unix_ns, ended_unix_ns=ended_unix_ns)
    usage = measure(target, window, {}, edges=edges, kubectl=kubectl, say=say, interval_s=interval_s)
    return replace(usage, machine=machine_use(edges, span_of(window), generator_cpu_s=0.0))


def _watch_problems(scrape_interval_s: float, duration_s: float, interval_s: float) -> list[str]:
    interval = f"the interval of {interval_s:g} s"
    rules = {
        f"{interval} is below the scrape interval of {scrape_interval_s:g} s": interval_s < scrape_interval_s,
        f"{interval} is above the duration of {duration_s:g} s": interval_s > duration_s,
    }
    return [problem for problem, applies in rules.items() if applies]


def _fetch(client: PrometheusClient, question: Question, now_s: float) -> Readings:
    reach_s = max(0.0, now_s - span_of(question.window).start_s) + LOOKBACK_S
    return {metric: client.readings(raw_readings(metric, reach_s)) for metric in Metric}
