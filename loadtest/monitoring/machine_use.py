"""What the machine did during the load beside carrying cluster and generator: pure functions.

From readings of the machine and of the nodes' own totals around the window. Leaves out taking them: see
`machine` and `edges`.
"""

from collections.abc import Iterable, Sequence
from itertools import chain

from loadtest.cluster.node_files import NodeCounters
from loadtest.machine import CpuTime, MachineReading
from loadtest.monitoring.edges import Edges
from loadtest.monitoring.model import SHORTEST_FOR_CPUS_S, MachineUse
from loadtest.monitoring.readings import Reading, Span
from loadtest.monitoring.window import bracket, growth


def machine_use(edges: Edges, span: Span, *, generator_cpu_s: float) -> MachineUse | None:
    """None where the machine was not read. `generator_cpu_s` is of the generator outside the cluster."""
    if len(edges.machine) < 2:
        return None
    before, after = _around(edges.machine, span)
    seconds = after.at_s - before.at_s
    cpu = _between(before.cpu, after.cpu) if seconds >= SHORTEST_FOR_CPUS_S else None
    cluster_s = _cluster_cpu_s(edges.nodes, span)
    others_s = None if cpu is None or cluster_s is None else cpu.busy_s - cluster_s - generator_cpu_s
    return MachineUse(
        window_s=seconds,
        cpus=after.cpu.cpus if after.cpu else None,
        load_average_before=before.load_average,
        busy_cores=None if cpu is None else cpu.busy_s / seconds,
        other_cores=None if others_s is None else max(0.0, others_s / seconds),
        steal_ratio=None if cpu is None else cpu.stolen_s / cpu.total_s,
        cpu_stalled_ratio=_stalled_ratio("cpu", before, after),
        memory_stalled_ratio=_stalled_ratio("memory", before, after),
        io_stalled_ratio=_stalled_ratio("io", before, after),
    )


def _around(readings: Sequence[MachineReading], span: Span) -> tuple[MachineReading, MachineReading]:
    """The last before the window and the first after it; where none is, the next best."""
    before = [one for one in readings if one.at_s <= span.start_s] or readings[:1]
    after = [one for one in readings if one.at_s >= span.end_s] or readings[-1:]
    return before[-1], after[0]


def _between(before: CpuTime | None, after: CpuTime | None) -> CpuTime | None:
    if before is None or after is None:
        return None
    return CpuTime(
        cpus=after.cpus,
        busy_s=after.busy_s - before.busy_s,
        stolen_s=after.stolen_s - before.stolen_s,
        total_s=after.total_s - before.total_s,
    )


def _cluster_cpu_s(nodes: Iterable[Sequence[NodeCounters]], span: Span) -> float | None:
    """What all nodes used, with everything on them; None where one does not tell."""
    totals: dict[str, list[Reading]] = {}
    for node in chain.from_iterable(nodes):
        if node.cpu_s is None:
            return None
        totals.setdefault(node.name, []).append(Reading(at_s=node.at_s, value=node.cpu_s))
    used_s = [growth(bracket(readings, span)) for readings in totals.values()]
    return sum(used_s) if used_s else None


def _stalled_ratio(what: str, before: MachineReading, after: MachineReading) -> float | None:
    if what not in before.stalled_s or what not in after.stalled_s or after.at_s <= before.at_s:
        return None
    return (after.stalled_s[what] - before.stalled_s[what]) / (after.at_s - before.at_s)
