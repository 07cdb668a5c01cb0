"""What the machine did meanwhile, from its readings around the load."""

import pytest

from loadtest.cluster.node_files import NodeCounters
from loadtest.machine import CpuTime, MachineReading
from loadtest.monitoring.edges import Edges
from loadtest.monitoring.machine_use import machine_use
from loadtest.monitoring.model import MachineUse
from loadtest.monitoring.readings import Span

_SPAN = Span(start_s=100.0, end_s=104.0)


def reading(at_s: float, *, busy_s: float, stolen_s: float = 0.0, stalled_s: float = 0.0) -> MachineReading:
    """Of two CPUs, since second 0."""
    cpu = CpuTime(cpus=2, busy_s=busy_s, stolen_s=stolen_s, total_s=2 * at_s)
    return MachineReading(at_s=at_s, cpu=cpu, load_average=0.5, stalled_s={"cpu": stalled_s, "io": 0.0})


def node(at_s: float, cpu_s: float | None, name: str = "node") -> NodeCounters:
    return NodeCounters(name=name, at_s=at_s, cpu_s=cpu_s, containers=())


def edges(*machine: MachineReading, nodes: tuple[tuple[NodeCounters, ...], ...] = ()) -> Edges:
    found = Edges()
    found.machine.extend(machine)
    found.nodes.extend(nodes)
    return found


def use(found: Edges, *, generator_cpu_s: float = 0.0) -> MachineUse:
    used = machine_use(found, _SPAN, generator_cpu_s=generator_cpu_s)
    assert used is not None
    return used


def test_what_neither_cluster_nor_generator_used_was_others() -> None:
    nodes = (
        (node(100, 50.0), node(100, 7.0, "worker")),
        (node(104, 52.0), node(104, 8.0, "worker")),
    )
    used = use(edges(reading(100, busy_s=10), reading(104, busy_s=15), nodes=nodes), generator_cpu_s=1.0)
    assert (used.cpus, used.window_s, used.busy_cores, used.other_cores) == (2, 4.0, 1.25, 0.25)


def test_others_are_never_less_than_none() -> None:
    nodes = ((node(100, 50.0),), (node(104, 55.5),))
    assert use(edges(reading(100, busy_s=10), reading(104, busy_s=15), nodes=nodes)).other_cores == 0


@pytest.mark.parametrize("nodes", [(), ((node(100, None),), (node(104, None),))])
def test_without_the_clusters_share_that_of_others_is_missing(
    nodes: tuple[tuple[NodeCounters, ...], ...],
) -> None:
    used = use(edges(reading(100, busy_s=10), reading(104, busy_s=15), nodes=nodes))
    assert (used.busy_cores, used.other_cores) == (1.25, None)


def test_stolen_and_stalled_time_is_told_as_a_share() -> None:
    used = use(edges(reading(100, busy_s=0), reading(104, busy_s=0, stolen_s=0.4, stalled_s=1.0)))
    assert used.steal_ratio == pytest.approx(0.05)
    assert (used.cpu_stalled_ratio, used.io_stalled_ratio, used.memory_stalled_ratio) == (0.25, 0.0, None)


def test_readings_closest_around_the_load_count() -> None:
    every = [reading(at_s, busy_s=at_s) for at_s in (97, 99.5, 101, 104.5, 106)]
    assert use(edges(*every)).window_s == 5.0


def test_a_load_that_began_before_anybody_knew_is_read_from_where_it_can_be() -> None:
    assert use(edges(reading(101, busy_s=1), reading(104, busy_s=4))).window_s == 3.0


def test_of_a_load_too_short_for_the_kernels_hundredths_only_stalls_are_told() -> None:
    short = edges(reading(103.5, busy_s=1), reading(104, busy_s=2, stalled_s=0.25))
    used = use(short)
    assert (used.busy_cores, used.other_cores, used.steal_ratio) == (None, None, None)
    assert (used.cpu_stalled_ratio, used.load_average_before) == (0.5, 0.5)


def test_a_machine_that_tells_nothing_has_no_noughts() -> None:
    silent = [MachineReading(at_s=at_s, cpu=None, load_average=None, stalled_s={}) for at_s in (100, 104)]
    used = use(edges(*silent))
    assert used == MachineUse(
        window_s=4.0,
        cpus=None,
        load_average_before=None,
        busy_cores=None,
        other_cores=None,
        steal_ratio=None,
        cpu_stalled_ratio=None,
        memory_stalled_ratio=None,
        io_stalled_ratio=None,
    )


def test_a_machine_that_was_not_read_twice_is_not_told_of() -> None:
    assert machine_use(edges(reading(100, busy_s=1)), _SPAN, generator_cpu_s=0) is None
