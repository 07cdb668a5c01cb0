"""From what a node's shell prints to the counters of its containers."""

import pytest

from loadtest.cluster.node_counters import Traffic, parse
from tests.unit.cluster.node_shell import container_id, pod_uid, version_1, version_2


def test_the_first_version_of_cgroups_is_read() -> None:
    (found,) = parse(version_1(7, 3, at_ns=1_500_000_000, cpu_ns=2_500_000_000, received=1200))
    assert (found.container_id, found.pod_uid) == (container_id(3), pod_uid(7))
    assert (found.at_s, found.cpu_s) == (1.5, 2.5)
    assert found.traffic == {"eth0": Traffic(received_bytes=1200, transmitted_bytes=600)}


def test_the_second_version_of_cgroups_is_read() -> None:
    (found,) = parse(version_2(7, 3))
    assert (found.container_id, found.pod_uid, found.cpu_s) == (container_id(3), pod_uid(7), 2.5)


@pytest.mark.parametrize("version", [version_1, version_2])
def test_memory_that_could_be_dropped_at_any_time_is_not_in_use(version: object) -> None:
    assert callable(version)
    assert [one.memory_bytes for one in parse(version(1, 1))] == [4000]


def test_each_container_has_its_own_counters() -> None:
    found = parse(version_1(1, 1, cpu_ns=10**9) + version_1(1, 2, cpu_ns=2 * 10**9))
    assert {one.container_id: one.cpu_s for one in found} == {container_id(1): 1.0, container_id(2): 2.0}


@pytest.mark.parametrize("gone", ["cpuacct.usage", "memory.usage_in_bytes", "total_inactive_file", "net/dev"])
def test_a_container_that_ended_while_it_was_read_is_left_out_and_the_others_are_not(gone: str) -> None:
    ended = "".join(line for line in version_1(1, 1).splitlines(keepends=True) if gone not in line)
    assert [one.container_id for one in parse(ended + version_1(2, 2))] == [container_id(2)]


def test_without_a_time_nothing_is_a_reading() -> None:
    assert parse(version_1(1, 1).replace("at ", "about ")) == ()
