"""What was scraped and what was read at a window's edges, as one: pure functions.

The kubelet reads the same files of the kernel as `edges`, so both kinds of readings are of one series; the
kubelet's own rows are recognised by the identity of their container or pod.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, pairwise
from math import inf
from typing import TypeAlias

from loadtest.cluster.node_files import ContainerCounters, NodeCounters, Throttling, Traffic
from loadtest.cluster.objects import ContainerStatus, Pod
from loadtest.cluster.states import unix_s
from loadtest.monitoring.edges import Edges
from loadtest.monitoring.queries import NETWORK, STALLED, Metric, labels_of
from loadtest.monitoring.readings import RawSeries, Reading
from loadtest.monitoring.resources import Readings

# A time stamp is off by up to what reading took: so close to an edge the order of two readings is not sure,
# and a counter that seems to fall would pass for one that was set back to 0.
_UNSURE_S = 0.25

_Owners: TypeAlias = Mapping[str, tuple[Pod, ContainerStatus]]
_Row: TypeAlias = tuple[Metric, RawSeries]

_POD_UID = re.compile(r"pod([0-9a-f_-]{32,36})\b")


def joined(scraped: Readings, edges: Edges) -> Readings:
    """The scraped readings with those of the edges, where there are both."""
    scraped = _credible(scraped)
    if not edges.complete:
        return scraped
    owners = _owners(edges.pods)
    read: dict[Metric, list[RawSeries]] = {metric: [] for metric in Metric}
    for metric, row in chain(_rows_read(edges, owners), _rows_of_the_unborn(edges, owners)):
        read[metric].append(row)
    return {metric: _joined(metric, scraped[metric], read[metric]) for metric in Metric}


def _credible(scraped: Readings) -> Readings:
    """Without stalls where there was none ever.

    No container starts without one, but a kubelet says 0 where its kernel tells it nothing.
    """
    stalls = (one.value for metric in STALLED.values() for row in scraped[metric] for one in row.readings)
    return scraped if any(stalls) else {**scraped, **dict.fromkeys(STALLED.values(), ())}


def _owners(pods: Iterable[Pod]) -> _Owners:
    """Of each container by its id. A sandbox is no container of its pod and has none."""
    return {
        status.container_id.rpartition("/")[2]: (pod, status)
        for pod in pods
        for status in pod.status.container_statuses + pod.status.init_container_statuses
    }


def _rows_read(edges: Edges, owners: _Owners) -> Iterator[_Row]:
    for node in chain.from_iterable(edges.nodes):
        yield from _rows_of(node.containers, owners)
        for counters in node.containers:
            if counters.container_id in owners:
                labels = _labels(counters, owners)
                yield Metric.LAST_SEEN, _row(labels, counters.at_s, counters.at_s)


def _rows_of_the_unborn(edges: Edges, owners: _Owners) -> Iterator[_Row]:
    """A container that a node's next reading is the first to show had used nothing by the one before."""
    by_name = [{node.name: node for node in reading} for reading in edges.nodes]
    for earlier, later in pairwise(by_name):
        for name, node in later.items():
            if name in earlier:
                yield from _rows_of(_unborn(earlier[name], node, owners), owners)


def _unborn(earlier: NodeCounters, later: NodeCounters, owners: _Owners) -> list[ContainerCounters]:
    shown = {one.container_id for one in earlier.containers}
    pods = {one.pod_uid for one in earlier.containers}
    return [
        _at_nought(one, earlier.at_s, with_traffic=one.pod_uid not in pods)
        for one in later.containers
        # Its own word as well, as one may be left out that was there: in whole seconds, cut off.
        if one.container_id not in shown and _started_s(one, owners) >= int(earlier.at_s)
    ]


def _started_s(counters: ContainerCounters, owners: _Owners) -> float:
    _, status = owners.get(counters.container_id, (None, None))
    began = (status.state.running or status.state.terminated) if status else None
    return unix_s(began.started_at) if began and began.started_at else -inf


def _at_nought(counters: ContainerCounters, at_s: float, *, with_traffic: bool) -> ContainerCounters:
    none = Traffic(received_bytes=0, transmitted_bytes=0)
    return replace(
        counters,
        at_s=at_s,
        cpu_s=0.0,
        memory_bytes=0,
        traffic=dict.fromkeys(counters.traffic, none) if with_traffic else {},
        throttling=counters.throttling and Throttling(periods=0, throttled_periods=0, throttled_s=0.0),
        stalled_s=dict.fromkeys(counters.stalled_s, 0.0),
    )


def _rows_of(containers: Iterable[ContainerCounters], owners: _Owners) -> Iterator[_Row]:
    """What was counted, as rows such as the kubelet's."""
    seen: set[str] = set()
    for counters in containers:
        if counters.container_id not in owners:
            continue
        labels = _labels(counters, owners)
        for metric, value in _values(counters):
            yield metric, _row(labels, counters.at_s, value)
        if counters.pod_uid not in seen:
            seen.add(counters.pod_uid)
            yield from _network_rows(counters, owners)


def _values(counters: ContainerCounters) -> Iterator[tuple[Metric, float]]:
    yield Metric.CPU_SECONDS, counters.cpu_s
    yield Metric.MEMORY_BYTES, counters.memory_bytes
    if throttling := counters.throttling:
        yield Metric.CPU_PERIODS, throttling.periods
        yield Metric.CPU_THROTTLED_PERIODS, throttling.throttled_periods
        yield Metric.CPU_THROTTLED_SECONDS, throttling.throttled_s
    for what, stalled_s in counters.stalled_s.items():
        yield STALLED[what], stalled_s


def _network_rows(counters: ContainerCounters, owners: _Owners) -> Iterator[_Row]:
    pod, _ = owners[counters.container_id]
    for interface, traffic in counters.traffic.items():
        labels = labels_of(pod) | {"interface": interface, "id": f"pod{counters.pod_uid}"}
        yield Metric.RECEIVED_BYTES, _row(labels, counters.at_s, traffic.received_bytes)
        yield Metric.TRANSMITTED_BYTES, _row(labels, counters.at_s, traffic.transmitted_bytes)


def _labels(counters: ContainerCounters, owners: _Owners) -> dict[str, str]:
    pod, status = owners[counters.container_id]
    return labels_of(pod) | {"container": status.name, "name": counters.container_id}


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
        RawSeries(labels=unknown[identity], readings=_in_order((), readings))
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
