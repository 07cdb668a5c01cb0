"""How many replicas of an autoscaled app were ready when, from what its pods say of themselves. Pure.

A pod tells when it was created and when it last became ready, in whole seconds of its cluster's clock: each
was up to a second later than told. From then on the ingress sends it requests. What a pod did before it last
became ready is not known, nor what pods did that are gone: where there were any, a problem says so.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from loadtest.cluster.objects import Pod
from loadtest.cluster.states import ready_since, unix_s
from loadtest.monitoring.model import ReplicaHistory, ReplicaStep, ResourceUsage
from loadtest.monitoring.queries import labels_of, pods_of
from loadtest.monitoring.readings import Span, span_of
from loadtest.target import AppTarget


@dataclass(frozen=True, kw_only=True)
class _Replica:
    """Moments in seconds from the load's beginning; `ready_s` is None where it was not ready at its end."""

    pod: str
    created_s: float
    ready_s: float | None

    @property
    def new(self) -> bool:
        return self.created_s > 0


def with_replicas(usage: ResourceUsage, apps: Iterable[AppTarget], pods: Sequence[Pod]) -> ResourceUsage:
    """The usage, and of each app with an autoscaler its replicas; `pods` are all there are after the load."""
    span = span_of(usage.window)
    found = {app.name: _replicas(app, pods, span) for app in apps if app.autoscaler}
    problems = chain.from_iterable(_problems(app, replicas, usage) for app, replicas in found.items())
    return replace(
        usage,
        replicas=tuple(_history(app, replicas) for app, replicas in found.items()),
        # Before what is missing of figures, of which a report shows the first few alone.
        problems=(*problems, *usage.problems),
    )


def _replicas(app: AppTarget, pods: Sequence[Pod], span: Span) -> list[_Replica]:
    """The app's pods that were created before the load was over and are not on their way out."""
    holds = pods_of(app)
    theirs = [
        _replica(pod, span) for pod in pods if holds(labels_of(pod)) and not pod.metadata.deletion_timestamp
    ]
    return [replica for replica in theirs if replica.created_s <= span.duration_s]


def _replica(pod: Pod, span: Span) -> _Replica:
    since = ready_since(pod)
    ready_s = unix_s(since) - span.start_s if since else None
    return _Replica(
        pod=pod.metadata.name,
        created_s=unix_s(pod.metadata.creation_timestamp) - span.start_s,
        ready_s=ready_s if ready_s is not None and ready_s <= span.duration_s else None,
    )


def _history(app: str, replicas: Sequence[_Replica]) -> ReplicaHistory:
    moments_s = sorted(max(0.0, one.ready_s) for one in replicas if one.ready_s is not None)
    at_start = sum(moment_s == 0 for moment_s in moments_s)
    later = enumerate(moments_s[at_start:], start=at_start + 1)
    new = [one for one in replicas if one.new]
    return ReplicaHistory(
        app=app,
        ready=(
            ReplicaStep(at_s=0.0, replicas=at_start),
            *(ReplicaStep(at_s=moment_s, replicas=count) for count, moment_s in later),
        ),
        first_new_created_s=min((one.created_s for one in new), default=None),
        first_new_ready_s=min((one.ready_s for one in new if one.ready_s is not None), default=None),
    )


def _problems(app: str, replicas: Sequence[_Replica], usage: ResourceUsage) -> list[str]:
    unready = [f"{one.pod} was not ready at the load's end" for one in replicas if one.ready_s is None]
    again = [
        f"{one.pod}, which was there before the load, last became ready {one.ready_s:.0f} s into it: "
        "whether it was ready before is not known"
        for one in replicas
        if one.ready_s is not None and one.ready_s > 0 and not one.new
    ]
    seen = next((one.running_pods.maximum for one in usage.scopes if one.scope == app), None) or 0
    missing = round(seen) - len(replicas)
    gone = [f"{missing} or more that ran during the load are gone: when they were ready is not known"]
    return [f"{app}: replicas: {problem}" for problem in (*unready, *again, *(gone if missing > 0 else []))]
