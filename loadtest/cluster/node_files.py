"""What a shell on a node printed of the kernel's own files, as values: pure functions.

Of each container and of the node as a whole, in both versions of cgroups. Leaves out printing it, see
`node_counters`, and which pod a container is of: only the cluster can name them.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

_AT = re.compile(r"^at (\d+)$", re.MULTILINE)
_SCOPE = re.compile(
    r"^container (?P<pid>\d+) "
    r"(?P<path>\S+-pod(?P<uid>[0-9a-f_]+)\.slice/cri-containerd-(?P<id>[0-9a-f]{64})\.scope)$",
    re.MULTILINE,
)
_FILE = re.compile(r"^(?P<file>[^\s:]+):(?P<line>.*)$", re.MULTILINE)
_INTERFACE = re.compile(r"^\s*(?P<name>\S+):\s*(?P<received>\d+)(?:\s+\d+){7}\s+(?P<transmitted>\d+)")
_STALLED = re.compile(r"^some .*\btotal=(?P<us>\d+)$")

# What a container's work can wait for; the kernel has a file of each.
STALLS = ("cpu", "memory", "io")

_Files = Mapping[str, Sequence[str]]
_Figure = TypeVar("_Figure")


@dataclass(frozen=True, kw_only=True, slots=True)
class Traffic:
    received_bytes: int
    transmitted_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Throttling:
    """How often a CPU limit was looked at while there was work, how often it held that back, for how long.

    There are no periods where there is no limit. Seconds are added up over CPUs.
    """

    periods: int
    throttled_periods: int
    throttled_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ContainerCounters:
    """One container at the moment `at_s`, in seconds since the epoch by its node's clock.

    `memory_bytes` is the working set, as the kubelet reckons it. `traffic` is by interface and of the whole
    pod, whose containers share their interfaces. `stalled_s` is by what was waited for, empty where the
    kernel does not tell; None of the others says the same.
    """

    at_s: float
    container_id: str
    pod_uid: str
    cpu_s: float
    memory_bytes: int
    traffic: Mapping[str, Traffic]
    throttling: Throttling | None
    stalled_s: Mapping[str, float]
    oom_kills: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class NodeCounters:
    """A node at one moment. `cpu_s` is of all there is on it, the kubelet included; None: not told."""

    name: str
    at_s: float
    cpu_s: float | None
    containers: tuple[ContainerCounters, ...]


def parse(node: str, text: str) -> NodeCounters | None:
    """What the script printed on a node; None where it shows no container.

    A container without its CPU, memory or network is left out.
    """
    at = _AT.search(text)
    if at is None:
        return None
    at_s = int(at[1]) / 1e6
    files: dict[str, list[str]] = {}
    for found in _FILE.finditer(text):
        files.setdefault(found["file"], []).append(found["line"])
    containers = tuple(filter(None, (_container(scope, files, at_s) for scope in _SCOPE.finditer(text))))
    if not containers:
        return None
    return NodeCounters(name=node, at_s=at_s, cpu_s=_told(_cpu_s, files, "."), containers=containers)


def _container(scope: re.Match[str], files: _Files, at_s: float) -> ContainerCounters | None:
    path = scope["path"]
    try:
        cpu_s, memory_bytes = _cpu_s(files, path), _working_set_bytes(files, path)
        traffic = _traffic(files[f"/proc/{scope['pid']}/net/dev"])
    except KeyError:
        return None
    return ContainerCounters(
        at_s=at_s,
        container_id=scope["id"],
        pod_uid=scope["uid"].replace("_", "-"),
        cpu_s=cpu_s,
        memory_bytes=memory_bytes,
        traffic=traffic,
        throttling=_told(_throttling, files, path),
        stalled_s=dict(_stalled_s(files, path)),
        oom_kills=_told(_oom_kills, files, path),
    )


def _told(read: Callable[[_Files, str], _Figure], files: _Files, path: str) -> _Figure | None:
    try:
        return read(files, path)
    except KeyError:
        return None


def _cpu_s(files: _Files, path: str) -> float:
    if usage_ns := files.get(f"cpuacct/{path}/cpuacct.usage"):
        return int(usage_ns[0]) / 1e9
    return _field(files[f"./{path}/cpu.stat"], "usage_usec") / 1e6


def _working_set_bytes(files: _Files, path: str) -> int:
    if used_bytes := files.get(f"memory/{path}/memory.usage_in_bytes"):
        inactive_bytes = _field(files[f"memory/{path}/memory.stat"], "total_inactive_file")
    else:
        used_bytes = files[f"./{path}/memory.current"]
        inactive_bytes = _field(files[f"./{path}/memory.stat"], "inactive_file")
    return max(0, int(used_bytes[0]) - inactive_bytes)


def _throttling(files: _Files, path: str) -> Throttling:
    if lines := files.get(f"cpu/{path}/cpu.stat"):
        throttled_s = _field(lines, "throttled_time") / 1e9
    else:
        lines = files[f"./{path}/cpu.stat"]
        throttled_s = _field(lines, "throttled_usec") / 1e6
    return Throttling(
        periods=_field(lines, "nr_periods"),
        throttled_periods=_field(lines, "nr_throttled"),
        throttled_s=throttled_s,
    )


def _oom_kills(files: _Files, path: str) -> int:
    lines = files.get(f"memory/{path}/memory.oom_control") or files[f"./{path}/memory.events"]
    return _field(lines, "oom_kill")


def _stalled_s(files: _Files, path: str) -> Iterator[tuple[str, float]]:
    for what in STALLS:
        for line in files.get(f"unified/{path}/{what}.pressure") or files.get(
            f"./{path}/{what}.pressure", ()
        ):
            if stalled := _STALLED.match(line):
                yield what, int(stalled["us"]) / 1e6


def _field(lines: Sequence[str], name: str) -> int:
    """The value of one line of a file of names and values. Raises KeyError where there is no such line."""
    return int(dict(line.split(" ", 1) for line in lines)[name])


def _traffic(lines: Sequence[str]) -> Mapping[str, Traffic]:
    found = filter(None, map(_INTERFACE.match, lines))
    return {
        one["name"]: Traffic(received_bytes=int(one["received"]), transmitted_bytes=int(one["transmitted"]))
        for one in found
        if one["name"] != "lo"
    }
