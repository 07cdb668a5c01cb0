"""What the kernel has counted for every container of a KinD cluster, read from the nodes' own files.

A node is a container of this machine: a shell kept ready on it reads the counters of that very moment within
some hundredths of a second, while the kubelet's are one to thirty seconds old. Both versions of cgroups are
read. Leaves out which pod a container is of: only the cluster can name them.
"""

import re
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from loadtest.cluster import kind
from loadtest.errors import MonitoringError
from loadtest.process import program_missing

_TIMEOUT_S = 10.0
_ERROR_CHARACTERS = 300

# First the containers, then the time, then their files, each line after the name of its file; `end` at last.
# A container that ends meanwhile has some of its files missing, which is no failure of the others.
_SCRIPT = r"""
cd /sys/fs/cgroup || exit
if [ -e cgroup.controllers ]; then cpu=. memory=.; else cpu=cpuacct memory=memory; fi
while read -r _; do
    set --
    for scope in $(cd "$cpu" && find . -type d -name 'cri-containerd-*.scope'); do
        read -r pid < "$cpu/$scope/cgroup.procs" || continue
        echo "container $pid $scope"
        set -- "$@" "/proc/$pid/net/dev" "$cpu/$scope/cpuacct.usage" "$cpu/$scope/cpu.stat"
        for file in usage_in_bytes current stat; do set -- "$@" "$memory/$scope/memory.$file"; done
    done
    echo "at $(date +%s%N)"
    grep -EHs '^[0-9]+$|^usage_usec |^(total_)?inactive_file |^ *[^ ]+:' "$@"
    echo end
done
"""
_END = "end\n"

_AT = re.compile(r"^at (\d+)$", re.MULTILINE)
_SCOPE = re.compile(
    r"^container (?P<pid>\d+) "
    r"(?P<path>\S+-pod(?P<uid>[0-9a-f_]+)\.slice/cri-containerd-(?P<id>[0-9a-f]{64})\.scope)$",
    re.MULTILINE,
)
_FILE = re.compile(r"^(?P<file>[^\s:]+):(?P<line>.*)$", re.MULTILINE)
_INTERFACE = re.compile(r"^\s*(?P<name>\S+):\s*(?P<received>\d+)(?:\s+\d+){7}\s+(?P<transmitted>\d+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Traffic:
    received_bytes: int
    transmitted_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ContainerCounters:
    """One container at the moment `at_s`, in seconds since the epoch by its node's clock.

    `memory_bytes` is the working set, as the kubelet reckons it. `traffic` is by interface and of the whole
    pod, whose containers share their interfaces.
    """

    at_s: float
    container_id: str
    pod_uid: str
    cpu_s: float
    memory_bytes: int
    traffic: Mapping[str, Traffic]


class CounterReader:
    """A shell on every node of the cluster, ready to read again and again while the `with` block lasts."""

    def __init__(self, cluster: str) -> None:
        self._cluster = cluster
        self._shells: dict[str, subprocess.Popen[str]] = {}

    def __enter__(self) -> Self:
        for node in kind.node_containers(self._cluster, folder=Path()):
            self._shells[node] = _shell(node)
        return self

    def __exit__(self, *_: object) -> None:
        for shell in self._shells.values():
            shell.kill()
            shell.communicate()

    def read(self) -> tuple[ContainerCounters, ...]:
        """Every container of the cluster. Raises MonitoringError where a node cannot be read."""
        if not self._shells:
            raise _unreadable(f"the cluster {self._cluster}", "it has no node on this machine")
        giving_up = threading.Timer(_TIMEOUT_S, self._kill)
        giving_up.start()
        try:
            for node, shell in self._shells.items():
                _ask(node, shell)
            return tuple(one for node, shell in self._shells.items() for one in _containers(node, shell))
        finally:
            giving_up.cancel()

    def _kill(self) -> None:
        for shell in self._shells.values():
            shell.kill()


def _shell(node: str) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(
            ("docker", "exec", "--interactive", node, "sh", "-c", _SCRIPT),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # a Ctrl-C is for this program, which decides what it means
        )
    except FileNotFoundError as error:
        raise program_missing("docker") from error


def _ask(node: str, shell: subprocess.Popen[str]) -> None:
    assert shell.stdin
    try:
        shell.stdin.write("\n")
        shell.stdin.flush()
    except BrokenPipeError as error:
        raise _unreadable(f"node {node}", "its shell is gone") from error


def _containers(node: str, shell: subprocess.Popen[str]) -> tuple[ContainerCounters, ...]:
    if found := parse(_answer(node, shell)):
        return found
    raise _unreadable(f"node {node}", "it shows no container in systemd's cgroups")


def _answer(node: str, shell: subprocess.Popen[str]) -> str:
    assert shell.stdout
    lines = [""]
    for line in shell.stdout:
        if line == _END:
            return "".join(lines)
        lines.append(line)
    raise _unreadable(f"node {node}", f"its shell has ended, {lines[-1].strip()[:_ERROR_CHARACTERS]!r}")


def _unreadable(what: str, reason: str) -> MonitoringError:
    return MonitoringError(
        f"{what} cannot be read: {reason}", hint="`docker ps` shows whether the nodes are running."
    )


def parse(text: str) -> tuple[ContainerCounters, ...]:
    """What the script printed on a node; a container without all of its counters is left out."""
    at = _AT.search(text)
    if at is None:
        return ()
    files: dict[str, list[str]] = {}
    for found in _FILE.finditer(text):
        files.setdefault(found["file"], []).append(found["line"])
    read = (_container(scope, files, int(at[1]) / 1e9) for scope in _SCOPE.finditer(text))
    return tuple(one for one in read if one)


def _container(scope: re.Match[str], files: Mapping[str, list[str]], at_s: float) -> ContainerCounters | None:
    path = scope["path"]
    try:
        if f"cpuacct/{path}/cpuacct.usage" in files:
            cpu_s = int(files[f"cpuacct/{path}/cpuacct.usage"][0]) / 1e9
            used_bytes = int(files[f"memory/{path}/memory.usage_in_bytes"][0])
            inactive_bytes = _field(files[f"memory/{path}/memory.stat"], "total_inactive_file")
        else:
            cpu_s = _field(files[f"./{path}/cpu.stat"], "usage_usec") / 1e6
            used_bytes = int(files[f"./{path}/memory.current"][0])
            inactive_bytes = _field(files[f"./{path}/memory.stat"], "inactive_file")
        traffic = _traffic(files[f"/proc/{scope['pid']}/net/dev"])
    except KeyError:
        return None
    return ContainerCounters(
        at_s=at_s,
        container_id=scope["id"],
        pod_uid=scope["uid"].replace("_", "-"),
        cpu_s=cpu_s,
        memory_bytes=max(0, used_bytes - inactive_bytes),
        traffic=traffic,
    )


def _field(lines: list[str], name: str) -> int:
    """The value of one line of a file of names and values. Raises KeyError where there is no such line."""
    return int(dict(line.split(" ", 1) for line in lines)[name])


def _traffic(lines: list[str]) -> Mapping[str, Traffic]:
    found = filter(None, map(_INTERFACE.match, lines))
    return {
        one["name"]: Traffic(received_bytes=int(one["received"]), transmitted_bytes=int(one["transmitted"]))
        for one in found
        if one["name"] != "lo"
    }
