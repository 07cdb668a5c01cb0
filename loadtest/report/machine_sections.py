"""What a report says of the machine: what it is, what runs the cluster, and what else it did meanwhile."""

from collections import Counter

from loadtest.machine import Machine
from loadtest.monitoring.model import SHORTEST_FOR_CPUS_S, MachineUse
from loadtest.report import escape, figures
from loadtest.report.layout import Section, items, paragraphs
from loadtest.report.model import Report
from loadtest.versions import NodeVersions, Versions

# Of all CPUs' time: beyond these shares figures may be those of something else than the load.
_BUSY_RATIO = 0.1
_STOLEN_RATIO = 0.01


def machine(report: Report) -> Section:
    facts = [machine_words(report.machine), *circumstances(report)]
    return Section(title="The machine", body=paragraphs(items(facts), items(_versions(report.versions))))


def circumstances(report: Report) -> list[str]:
    """What the machine did beside, and what tells comparable runs from others."""
    use = _use(report)
    return [
        *(_meanwhile(use) if use else ["What it did meanwhile: missing"]),
        f"Fingerprint {escape.code(report.fingerprint)}: runs with another one are not to be compared",
    ]


def machine_words(machine: Machine) -> str:
    return (
        f"Machine: {escape.code(machine.cpu_model)}, {machine.cpu_count} CPUs, "
        f"{figures.size(machine.memory_bytes)} of memory, {escape.code(machine.kernel)}"
    )


def disturbances(report: Report) -> list[str]:
    """A sentence for each thing that made the machine another one than it is when left alone."""
    use = _use(report)
    if use is None:
        return []
    sentences = []
    if use.other_cores is not None and use.cpus and use.other_cores > _BUSY_RATIO * use.cpus:
        sentences.append(
            f"\N{WARNING SIGN} Busy otherwise: {figures.number(use.other_cores)} of {use.cpus} CPUs "
            "worked for neither the cluster nor the load generator"
        )
    if use.steal_ratio is not None and use.steal_ratio > _STOLEN_RATIO:
        sentences.append(
            f"\N{WARNING SIGN} The machine's own host took {figures.percent(use.steal_ratio)} of its CPU time"
        )
    return sentences


def _use(report: Report) -> MachineUse | None:
    return report.resources.machine if report.resources else None


def _versions(versions: Versions) -> list[str]:
    alike = Counter(map(_node, versions.nodes))
    return [
        *map(escape.inline, versions.problems),
        *([f"Container engine: {escape.code(versions.engine)}"] if versions.engine else []),
        *(f"{'1 node' if count == 1 else f'{count} nodes'}: {words}" for words, count in alike.items()),
        *(f"Image {escape.code(one.image)}: {escape.code(one.image_id)}" for one in versions.images),
    ]


def _node(node: NodeVersions) -> str:
    words = [f"Kubernetes {escape.code(node.kubelet)}", escape.code(node.container_runtime)]
    if node.image and node.image_id:
        words.append(f"image {escape.code(node.image)} {escape.code(node.image_id)}")
    return ", ".join(words)


def _cpus_busy(use: MachineUse) -> str:
    samples = f"(2 samples, {figures.seconds(use.window_s)} apart)"
    if use.busy_cores is None and use.window_s < SHORTEST_FOR_CPUS_S:
        return f"CPUs busy during the load: {figures.MISSING}, it takes a load of a second at least {samples}"
    cpus = "" if use.cpus is None else f" of {use.cpus}"
    return (
        f"CPUs busy during the load: {figures.number(use.busy_cores)}{cpus}, "
        f"for neither the cluster nor the load generator: {figures.number(use.other_cores)}, "
        f"taken by the machine's own host: {figures.percent(use.steal_ratio)} {samples}"
    )


def _meanwhile(use: MachineUse) -> list[str]:
    waited = {
        "a CPU": use.cpu_stalled_ratio,
        "memory": use.memory_stalled_ratio,
        "a disk": use.io_stalled_ratio,
    }
    return [
        _cpus_busy(use),
        "Share of that time in which some of its work waited for "
        + ", for ".join(f"{what}: {figures.percent(ratio)}" for what, ratio in waited.items()),
        f"Load average before: {figures.number(use.load_average_before)}",
    ]
