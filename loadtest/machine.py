"""The machine a run took place on, as read from the system, so that unlike runs are told apart.

Leaves out what the machine was doing meanwhile.
"""

import os
import platform
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Figures of unlike machines are not to be compared."""

    cpu_model: str
    cpu_count: int  # that this process may use, which may be fewer than there are
    memory_bytes: int
    kernel: str


def read(proc: Path = Path("/proc")) -> Machine:
    return Machine(
        cpu_model=_cpu_model(proc / "cpuinfo") or platform.processor() or platform.machine(),
        cpu_count=_usable_cpus(),
        memory_bytes=os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        kernel=f"{platform.system()} {platform.release()}",
    )


def _cpu_model(cpuinfo: Path) -> str | None:
    """The model's name, or None where there is no such file (macOS) or line (many ARM kernels)."""
    try:
        lines = cpuinfo.read_text(errors="replace").splitlines()
    except OSError:
        return None
    named = (line.partition(":") for line in lines)
    return next((value.strip() for key, _, value in named if key.strip() == "model name"), None)


def _usable_cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
