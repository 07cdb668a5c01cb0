"""The machine a run took place on, as read from the system: what it is, and what it has done up to a moment.

What a system does not tell is None: macOS has no files of this kind. Leaves out what two such moments say of
the time between them: see `monitoring.machine_use`.
"""

import os
import platform
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_CPU = re.compile(r"cpu\d+ ")
_PRESSURES = ("cpu", "memory", "io")
_STALLED = re.compile(r"^some .*\btotal=(\d+)$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Figures of unlike machines are not to be compared."""

    cpu_model: str
    cpu_count: int  # that this process may use, which may be fewer than there are
    memory_bytes: int
    kernel: str


@dataclass(frozen=True, kw_only=True)
class CpuTime:
    """Seconds of all CPUs together since the machine's start. Stolen ones its own host gave to others."""

    cpus: int
    busy_s: float
    stolen_s: float
    total_s: float


@dataclass(frozen=True, kw_only=True)
class MachineReading:
    """The machine at the moment `at_s`, in seconds since the epoch.

    `load_average` is the system's own, of the last minute. `stalled_s` is for how long any of the machine's
    work has waited for a CPU, for memory or for a disk, as far as the kernel tells.
    """

    at_s: float
    cpu: CpuTime | None
    load_average: float | None
    stalled_s: Mapping[str, float]


def read_now(proc: Path = _PROC) -> MachineReading:
    return MachineReading(
        at_s=time.time(),
        cpu=_cpu_time(proc / "stat"),
        load_average=_load_average(),
        stalled_s=_stalled_s(proc),
    )


def _cpu_time(stat: Path) -> CpuTime | None:
    """From the file's first line: user, nice, system, idle, iowait, irq, softirq, steal.

    What comes after these are guests' shares of the first two. A line for each CPU follows.
    """
    lines = (_text(stat) or "").splitlines()
    name, *numbers = lines[0].split() if lines else [""]
    if name != "cpu" or len(numbers) < 8:
        return None
    user, nice, system, idle, io_wait, irq, soft_irq, stolen = (
        int(ticks) / os.sysconf("SC_CLK_TCK") for ticks in numbers[:8]
    )
    busy_s = user + nice + system + irq + soft_irq
    return CpuTime(
        cpus=sum(_CPU.match(line) is not None for line in lines),
        busy_s=busy_s,
        stolen_s=stolen,
        total_s=busy_s + idle + io_wait + stolen,
    )


def _load_average() -> float | None:
    try:
        return os.getloadavg()[0]
    except OSError:
        return None


def _stalled_s(proc: Path) -> Mapping[str, float]:
    texts = {what: _text(proc / "pressure" / what) or "" for what in _PRESSURES}
    found = {what: _STALLED.search(text) for what, text in texts.items()}
    return {what: int(one[1]) / 1e6 for what, one in found.items() if one}


def _text(file: Path) -> str | None:
    """None where it is not there, or not to be read: a kernel can switch pressure off behind its file."""
    try:
        return file.read_text(errors="replace")
    except OSError:
        return None


def read(proc: Path = _PROC) -> Machine:
    return Machine(
        cpu_model=_cpu_model(proc / "cpuinfo") or platform.processor() or platform.machine(),
        cpu_count=_usable_cpus(),
        memory_bytes=os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        kernel=f"{platform.system()} {platform.release()}",
    )


def _cpu_model(cpuinfo: Path) -> str | None:
    """The model's name, or None where there is no such file (macOS) or line (many ARM kernels)."""
    named = (line.partition(":") for line in (_text(cpuinfo) or "").splitlines())
    return next((value.strip() for key, _, value in named if key.strip() == "model name"), None)


def _usable_cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
