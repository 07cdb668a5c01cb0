"""Grafana, where a stack has one: where it shows the load, or why it does not. Pure.

No run fails for want of it, and none waits for it: it is looked at once, after the load.
"""

from collections.abc import Iterable
from dataclasses import replace

from loadtest.cluster.objects import Pod
from loadtest.cluster.states import pod_troubles, ready_since
from loadtest.monitoring.model import ResourceUsage
from loadtest.sample import LoadWindow
from loadtest.target import GrafanaTarget

_MARGIN_MS = 10_000  # a curve that begins and ends at its edges shows no rise and no fall


def with_dashboard(usage: ResourceUsage, grafana: GrafanaTarget | None, pods: Iterable[Pod]) -> ResourceUsage:
    """The usage, and the way to its curves; `pods` are all there are after the load."""
    if grafana is None:
        return usage
    own = [pod for pod in pods if pod.metadata.namespace == grafana.namespace]
    if any(ready_since(pod) for pod in own):
        return replace(usage, dashboard_url=_url(grafana, usage.window))
    reason = "; ".join(pod_troubles(own)) or "it has no pod"
    return replace(usage, problems=(f"Grafana does not show the load: {reason}", *usage.problems))


def _url(grafana: GrafanaTarget, window: LoadWindow) -> str:
    start_ms = window.started_unix_ns // 1_000_000 - _MARGIN_MS
    end_ms = window.ended_unix_ns // 1_000_000 + _MARGIN_MS
    return f"http://{grafana.address}:{grafana.port}{grafana.path}?from={start_ms}&to={end_ms}"
