"""Scraped readings and those of a window's edges as one."""

from collections.abc import Sequence
from dataclasses import replace

from loadtest.cluster.node_files import ContainerCounters, NodeCounters, Throttling, Traffic
from loadtest.cluster.objects import (
    ContainerRunning,
    ContainerState,
    ContainerStatus,
    Metadata,
    Pod,
    PodStatus,
)
from loadtest.monitoring.edges import Edges
from loadtest.monitoring.joining import joined
from loadtest.monitoring.queries import Metric
from loadtest.monitoring.readings import RawSeries
from loadtest.monitoring.resources import Readings, relevant, usage_from
from tests.unit.cluster.node_shell import container_id, pod_uid
from tests.unit.monitoring.values import FOO_POD, empty_readings, question, row

_ID = container_id(1)
_SANDBOX_ID = container_id(2)


def counters(at_s: float, *, cpu_s: float, received: int = 0, container: str = _ID) -> ContainerCounters:
    return ContainerCounters(
        at_s=at_s,
        container_id=container,
        pod_uid=pod_uid(1),
        cpu_s=cpu_s,
        memory_bytes=4000,
        traffic={"eth0": Traffic(received_bytes=received, transmitted_bytes=0)},
        throttling=Throttling(periods=round(at_s), throttled_periods=0, throttled_s=0.0),
        stalled_s={"cpu": cpu_s / 2},
        oom_kills=0,
    )


def pod() -> Pod:
    status = ContainerStatus(name="main", container_id=f"containerd://{_ID}")
    return Pod(
        metadata=Metadata(name=FOO_POD, namespace="apps"), status=PodStatus(container_statuses=(status,))
    )


def edges(*moments: ContainerCounters, after: Pod | None = None) -> Edges:
    found = Edges()
    for one in moments:
        sandbox = counters(one.at_s, cpu_s=99.0, container=_SANDBOX_ID)
        found.nodes.append((NodeCounters(name="node", at_s=one.at_s, cpu_s=None, containers=(sandbox, one)),))
    found.pods_before, found.pods_after = (pod(),), (after or pod(),)
    return found


def scraped(**rows: Sequence[RawSeries]) -> Readings:
    return {metric: rows.get(metric.name.lower(), ()) for metric in Metric}


def pairs(series: RawSeries) -> list[tuple[float, float]]:
    return [(reading.at_s, reading.value) for reading in series.readings]


def test_a_load_no_scrape_fell_into_is_measured_by_its_edges_alone() -> None:
    around = edges(counters(99.9, cpu_s=1.0, received=0), counters(102.1, cpu_s=3.2, received=2200))
    asked = question(100, 102, requests={"foo.localhost": 1000})
    usage = usage_from(relevant(joined(empty_readings(), around), asked), asked, waited_s=0)
    foo = usage.scopes[0]
    assert foo.cpu_seconds is not None
    assert foo.cpu_window_s is not None
    assert (round(foo.cpu_seconds, 6), round(foo.cpu_window_s, 6)) == (2.2, 2.2)
    assert (foo.cpu_cores.samples, foo.memory_bytes.maximum, foo.running_pods.average) == (2, 4000, 1)
    assert foo.network_receive_bytes_per_s.average is not None
    assert round(foo.network_receive_bytes_per_s.average, 6) == 1000
    assert [problem for problem in usage.problems if problem.startswith("foo:")] == []


def test_scraped_readings_between_the_edges_stay_where_they_were() -> None:
    known = row("apps", FOO_POD, (98.0, 0.5), (101.0, 2.0), (104.0, 3.3), container="main", name=_ID)
    around = edges(counters(99.9, cpu_s=1.0), counters(102.1, cpu_s=3.2))
    (series,) = joined(scraped(cpu_seconds=[known]), around)[Metric.CPU_SECONDS]
    assert pairs(series) == [(98.0, 0.5), (99.9, 1.0), (101.0, 2.0), (102.1, 3.2), (104.0, 3.3)]
    assert series.labels == known.labels


def test_a_scraped_reading_too_close_to_an_edge_to_be_in_order_is_dropped() -> None:
    """Its time stamp says later, its lower value says earlier: it would pass for a counter set back to 0."""
    known = row("apps", FOO_POD, (100.0, 0.99), (101.0, 2.0), container="main", name=_ID)
    around = edges(counters(99.9, cpu_s=1.0), counters(102.1, cpu_s=3.2))
    (series,) = joined(scraped(cpu_seconds=[known]), around)[Metric.CPU_SECONDS]
    assert pairs(series) == [(99.9, 1.0), (101.0, 2.0), (102.1, 3.2)]


def test_both_edges_of_a_window_shorter_than_that_are_kept() -> None:
    around = edges(counters(99.99, cpu_s=1.0), counters(100.09, cpu_s=1.1))
    (series,) = joined(empty_readings(), around)[Metric.CPU_SECONDS]
    assert pairs(series) == [(99.99, 1.0), (100.09, 1.1)]


def test_a_pod_that_took_anothers_name_does_not_get_its_traffic() -> None:
    uid = pod_uid(1).replace("-", "_")
    labels = {"interface": "eth0", "container": ""}
    same = row(
        "apps", FOO_POD, (101.0, 50.0), id=f"/kubepods-pod{uid}.slice/cri-containerd-0.scope", **labels
    )
    other_id = f"/kubepods-pod{pod_uid(2).replace('-', '_')}.slice/cri-containerd-1.scope"
    other = row("apps", FOO_POD, (101.0, 7.0), id=other_id, **labels)
    around = edges(counters(99.9, cpu_s=0, received=10), counters(102.1, cpu_s=0, received=90))
    rows = joined(scraped(received_bytes=[same, other]), around)[Metric.RECEIVED_BYTES]
    assert [pairs(one) for one in rows] == [[(99.9, 10), (101.0, 50), (102.1, 90)], [(101.0, 7)]]


def test_with_one_edge_alone_the_scraped_readings_stay_as_they_are() -> None:
    known = scraped(cpu_seconds=[row("apps", FOO_POD, (98.0, 0.5), container="main", name=_ID)])
    assert joined(known, edges(counters(99.9, cpu_s=1.0))) == known


def test_a_sandbox_is_no_container_of_its_pod() -> None:
    around = edges(counters(99.9, cpu_s=1.0), counters(102.1, cpu_s=3.2))
    rows = joined(empty_readings(), around)
    assert {one.labels["name"] for one in rows[Metric.CPU_SECONDS]} == {_ID}
    assert len(rows[Metric.RECEIVED_BYTES]) == 1, "a pod's traffic is counted once"


def born(at: str, container: str = _ID) -> Pod:
    """A pod whose container began at that moment, by its cluster's clock."""
    running = ContainerState(running=ContainerRunning(started_at=at))
    status = ContainerStatus(name="main", container_id=f"containerd://{container}", state=running)
    return Pod(
        metadata=Metadata(name=FOO_POD, namespace="apps"), status=PodStatus(container_statuses=(status,))
    )


def with_newcomer(after: Pod, *, newcomers_pod: int) -> Edges:
    """A node that shows a second container at the window's end, 3 s of CPU and 500 bytes old."""
    found = edges(counters(99.9, cpu_s=1.0), counters(102.1, cpu_s=3.2), after=after)
    newcomer = replace(
        counters(102.1, cpu_s=3.0, received=500, container=container_id(9)), pod_uid=pod_uid(newcomers_pod)
    )
    (node,) = found.nodes[-1]
    found.nodes[-1] = (replace(node, containers=(*node.containers, newcomer)),)
    return found


def test_a_container_born_during_the_load_is_counted_from_nought() -> None:
    around = with_newcomer(born("1970-01-01T00:01:41Z", container_id(9)), newcomers_pod=2)
    rows = joined(empty_readings(), around)
    assert pairs(rows[Metric.CPU_SECONDS][1]) == [(99.9, 0), (102.1, 3.0)]
    assert pairs(rows[Metric.RECEIVED_BYTES][1]) == [(99.9, 0), (102.1, 500)]
    assert pairs(rows[Metric.CPU_PERIODS][1]) == [(99.9, 0), (102.1, 102)]
    assert pairs(rows[Metric.LAST_SEEN][1]) == [(102.1, 102.1)], "it was not there yet"


def test_a_container_born_into_a_pod_that_was_there_does_not_reset_its_traffic() -> None:
    around = with_newcomer(born("1970-01-01T00:01:41Z", container_id(9)), newcomers_pod=1)
    rows = joined(empty_readings(), around)
    assert pairs(rows[Metric.CPU_SECONDS][1]) == [(99.9, 0), (102.1, 3.0)]
    assert 99.9 not in {at_s for row in rows[Metric.RECEIVED_BYTES][1:] for at_s, _ in pairs(row)}


def test_a_container_that_was_there_but_could_not_be_read_has_no_beginning() -> None:
    around = with_newcomer(born("1970-01-01T00:01:38Z", container_id(9)), newcomers_pod=2)
    rows = joined(empty_readings(), around)
    assert pairs(rows[Metric.CPU_SECONDS][1]) == [(102.1, 3.0)]


def test_stalls_of_which_a_kubelet_says_nought_alone_are_those_of_the_nodes() -> None:
    """As on version 1 of cgroups: noughts between true readings would pass for a counter that was reset."""
    said = row("apps", FOO_POD, (101.0, 0.0), (101.5, 0.0), container="main", name=_ID)
    around = edges(counters(99.9, cpu_s=2.0), counters(102.1, cpu_s=6.0))
    (series,) = joined(scraped(cpu_stalled_seconds=[said]), around)[Metric.CPU_STALLED_SECONDS]
    assert pairs(series) == [(99.9, 1.0), (102.1, 3.0)]


def test_stalls_of_which_a_kubelet_says_nought_alone_are_not_told() -> None:
    said = row("apps", FOO_POD, (101.0, 0.0), container="main", name=_ID)
    assert joined(scraped(cpu_stalled_seconds=[said]), Edges())[Metric.CPU_STALLED_SECONDS] == ()


def test_memory_that_nothing_waited_for_is_told_where_a_cpu_was_waited_for() -> None:
    waited = row("apps", FOO_POD, (101.0, 0.5), container="main", name=_ID)
    none = row("apps", FOO_POD, (101.0, 0.0), container="main", name=_ID)
    readings = joined(scraped(cpu_stalled_seconds=[waited], memory_stalled_seconds=[none]), Edges())
    assert readings[Metric.MEMORY_STALLED_SECONDS] == [none]
