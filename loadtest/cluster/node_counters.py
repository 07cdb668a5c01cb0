"""What the kernel has counted for every container of a KinD cluster, read from the nodes' own files.

A node is a container of this machine: a shell kept ready on it reads the counters of that very moment within
some hundredths of a second, while the kubelet's are one to thirty seconds old. Both versions of cgroups are
read. Leaves out what the files say: see `node_files`.
"""

import subprocess
import threading
from pathlib import Path
from typing import Self

from loadtest.cluster import kind
from loadtest.cluster.node_files import NodeCounters, parse
from loadtest.cluster.node_shell import knock, open_shell
from loadtest.errors import MonitoringError

_TIMEOUT_S = 10.0
_ERROR_CHARACTERS = 300

# First the containers, then the time, then their files, each line after the name of its file; `end` at last.
# A container that ends meanwhile has some of its files missing, which is no failure of the others. Bash, for
# its own search and clock: a program started for either costs more time than all the rest. Where cgroups are
# of the first version, systemd may keep the second beside it, for nothing but pressure.
_SCRIPT = r"""
cd /sys/fs/cgroup || exit
shopt -s globstar nullglob
if [ -e cgroup.controllers ]; then cpu=. limits=. memory=. pressure=.
else cpu=cpuacct limits=cpu memory=memory pressure=unified; fi
wanted='[0-9]+$|(total_)?inactive_file |usage_usec |nr_|throttled_|oom_kill |some | *[^ ]+:'
while read -r _; do
    files=("$cpu/./cpuacct.usage" "$cpu/./cpu.stat")
    for processes in "$cpu"/./**/cri-containerd-*.scope/cgroup.procs; do
        read -r pid < "$processes" || continue
        scope=${processes#"$cpu/"} scope=${scope%/*}
        echo "container $pid $scope"
        files+=("/proc/$pid/net/dev" "$cpu/$scope/cpuacct.usage" "$limits/$scope/cpu.stat")
        files+=("$memory/$scope/memory."{usage_in_bytes,current,stat,oom_control,events})
        files+=("$pressure/$scope/"{cpu,memory,io}.pressure)
    done
    echo "at ${EPOCHREALTIME/[.,]/}"
    grep -EHs "^($wanted)" "${files[@]}"
    echo end
done
"""
_END = "end\n"


class CounterReader:
    """A shell on every node of the cluster, ready to read again and again while the `with` block lasts."""

    def __init__(self, cluster: str) -> None:
        self._cluster = cluster
        self._shells: dict[str, subprocess.Popen[str]] = {}

    def __enter__(self) -> Self:
        for node in kind.node_containers(self._cluster, folder=Path()):
            self._shells[node] = open_shell(node, "bash", _SCRIPT)
        return self

    def __exit__(self, *_: object) -> None:
        for shell in self._shells.values():
            shell.kill()
            shell.communicate()

    def read(self) -> tuple[NodeCounters, ...]:
        """Every node of the cluster. Raises MonitoringError where a node cannot be read."""
        if not self._shells:
            raise _unreadable(f"the cluster {self._cluster}", "it has no node on this machine")
        giving_up = threading.Timer(_TIMEOUT_S, self._kill)
        giving_up.start()
        try:
            for node, shell in self._shells.items():
                _ask(node, shell)
            return tuple(_counters(node, shell) for node, shell in self._shells.items())
        finally:
            giving_up.cancel()

    def _kill(self) -> None:
        for shell in self._shells.values():
            shell.kill()


def _ask(node: str, shell: subprocess.Popen[str]) -> None:
    try:
        knock(shell)
    except BrokenPipeError as error:
        raise _unreadable(f"node {node}", "its shell is gone") from error


def _counters(node: str, shell: subprocess.Popen[str]) -> NodeCounters:
    if found := parse(node, _answer(node, shell)):
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
