"""From what a node's shell prints to the counters of its containers."""

from collections.abc import Callable

import pytest

from loadtest.cluster.node_files import ContainerCounters, NodeCounters, Throttling, Traffic, parse
from tests.unit.cluster.node_shell import container_id, pod_uid, version_1, version_2

Printed = Callable[[int, int], str]

both_versions = pytest.mark.parametrize("version", [version_1, version_2])


def node(text: str) -> NodeCounters:
    found = parse("node", text)
    assert found is not None
    return found


def only(text: str) -> ContainerCounters:
    (found,) = node(text).containers
    return found


def without(text: str, *words: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if not any(word in line for word in words))


def test_the_first_version_of_cgroups_is_read() -> None:
    found = only(version_1(7, 3, at_us=1_500_000, cpu_ns=2_500_000_000, received=1200))
    assert (found.container_id, found.pod_uid) == (container_id(3), pod_uid(7))
    assert (found.at_s, found.cpu_s) == (1.5, 2.5)
    assert found.traffic == {"eth0": Traffic(received_bytes=1200, transmitted_bytes=600)}


def test_the_second_version_of_cgroups_is_read() -> None:
    found = only(version_2(7, 3))
    assert (found.container_id, found.pod_uid, found.cpu_s) == (container_id(3), pod_uid(7), 2.5)


@both_versions
def test_memory_that_could_be_dropped_at_any_time_is_not_in_use(version: Printed) -> None:
    assert only(version(1, 1)).memory_bytes == 4000


@both_versions
def test_throttling_and_kills_are_told_in_the_same_units_by_both(version: Printed) -> None:
    found = only(version(1, 1))
    assert found.throttling == Throttling(periods=40, throttled_periods=3, throttled_s=0.25)
    assert found.oom_kills == 1


@pytest.mark.parametrize("text", [version_2(1, 1), version_1(1, 1, hybrid=True)])
def test_stalls_are_read_from_the_second_version_though_it_stand_beside_the_first(text: str) -> None:
    assert only(text).stalled_s == {"cpu": 1.5, "memory": 0, "io": 0.02}


def test_where_the_kernel_tells_no_stalls_there_are_none_and_not_nought() -> None:
    assert only(version_1(1, 1)).stalled_s == {}


@both_versions
def test_a_kernel_that_knows_no_limits_and_no_kills_still_tells_cpu_and_memory(version: Printed) -> None:
    found = only(without(version(1, 1), "nr_", "throttled_", "oom_kill"))
    assert (found.throttling, found.oom_kills, found.memory_bytes) == (None, None, 4000)


@both_versions
def test_the_whole_node_has_its_own_figure(version: Printed) -> None:
    assert node(version(1, 1)).cpu_s == 9.0
    assert node(without(version(1, 1), "cpuacct/./cpuacct.usage", "././cpu.stat")).cpu_s is None


def test_each_container_has_its_own_counters() -> None:
    found = node(version_1(1, 1, cpu_ns=10**9) + version_1(1, 2, cpu_ns=2 * 10**9))
    assert {one.container_id: one.cpu_s for one in found.containers} == {
        container_id(1): 1.0,
        container_id(2): 2.0,
    }


@pytest.mark.parametrize(
    "gone",
    [f"{container_id(1)}.scope/cpuacct.usage", "memory.usage_in_bytes", "total_inactive_file", "net/dev"],
)
def test_a_container_that_ended_while_it_was_read_is_left_out_and_the_others_are_not(gone: str) -> None:
    assert only(without(version_1(1, 1), gone) + version_1(2, 2)).container_id == container_id(2)


def test_without_a_time_nothing_is_a_reading() -> None:
    assert parse("node", version_1(1, 1).replace("at ", "about ")) is None
