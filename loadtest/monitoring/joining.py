"""What was scraped and what was read at a window's edges, as one: pure functions.

The kubelet reads the same files of the kernel as `edges`, so both kinds of readings are of one series; the
kubelet's own rows are recognised by the identity of their container or pod.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from loadtest.monitoring.edges import Edge, Edges
from loadtest.monitoring.queries import NETWORK, Metric
from loadtest.monitoring.readings import RawSeries, Reading
from loadtest.monitoring.resources import Readings

# A time stamp is off by up to what reading took: so close to an edge the order of two readings is not sure,
# and a counter that seems to fall would pass for one that was set back to 0.
_UNSURE_S = 0.25

_POD_UID = re.compile(r"pod([0-9a-f_-]{32,36})\b")


def joined(scraped: Readings, edges: Edges) -> Readings:
    """The scraped readings with those of both edges; as they are where there are not both."""
    if not edges.complete:
        return scraped
    read: dict[Metric, list[RawSeries]] = {metric: [] for metric in Metric}
    for edge in edges.read:
        for metric, row in _rows_of(edge):
            read[metric].append(row)
    return {metric: _joined(metric, scraped[metric], read[metric]) for metric in Metric}


def _rows_of(edge: Edge) -> Iterator[tuple[Metric, RawSeries]]:
    """What was counted, as rows such as the kubelet's. A sandbox is no container of its pod and has none."""
    containers = {
        status.container_id.rpartition("/")[2]: (pod, status.name)
        for pod in edge.pods
        for status in pod.status.container_statuses + pod.status.init_container_statuses
    }
    seen: set[str] = set()
    for counters in edge.counters:
        if counters.container_id not in containers:
            continue
        pod, name = containers[counters.container_id]
        labels = {"namespace": pod.metadata.namespace, "pod": pod.metadata.name}
        own = labels | {"container": name, "name": counters.container_id}
        yield Metric.CPU_SECONDS, _row(own, counters.at_s, counters.cpu_s)
        yield Metric.MEMORY_BYTES, _row(own, counters.at_s, counters.memory_bytes)
        yield Metric.LAST_SEEN, _row(own, counters.at_s, counters.at_s)
        if counters.pod_uid in seen:
            continue
        seen.add(counters.pod_uid)
        for interface, traffic in counters.traffic.items():
            shared = labels | {"interface": interface, "id": f"pod{counters.pod_uid}"}
            yield Metric.RECEIVED_BYTES, _row(shared, counters.at_s, traffic.received_bytes)
            yield Metric.TRANSMITTED_BYTES, _row(shared, counters.at_s, traffic.transmitted_bytes)


def _row(labels: Mapping[str, str], at_s: float, value: float) -> RawSeries:
    return RawSeries(labels=labels, readings=(Reading(at_s=at_s, value=value),))


def _joined(metric: Metric, scraped: Sequence[RawSeries], read: Sequence[RawSeries]) -> list[RawSeries]:
    at_edges: dict[tuple[str, ...], list[Reading]] = {}
    for row in read:
        at_edges.setdefault(_identity(metric, row), []).extend(row.readings)
    known = [
        RawSeries(
            labels=row.labels, readings=_in_order(row.readings, at_edges.pop(_identity(metric, row), []))
        )
        for row in scraped
    ]
    unknown = {_identity(metric, row): row.labels for row in read}
    return known + [
        RawSeries(labels=unknown[identity], readings=tuple(readings))
        for identity, readings in at_edges.items()
    ]


def _in_order(scraped: Sequence[Reading], at_edges: Sequence[Reading]) -> tuple[Reading, ...]:
    sure = [one for one in scraped if all(abs(one.at_s - edge.at_s) > _UNSURE_S for edge in at_edges)]
    return tuple(sorted([*sure, *at_edges], key=lambda reading: reading.at_s))


def _identity(metric: Metric, row: RawSeries) -> tuple[str, ...]:
    if metric not in NETWORK:
        return (row.labels.get("name", ""),)
    uid = _POD_UID.search(row.labels.get("id", ""))
    return (uid[1].replace("_", "-") if uid else "", row.labels.get("interface", ""))
