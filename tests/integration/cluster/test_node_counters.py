"""The shell that reads a node, run on files of the forms that the kernel documents.

A program that answers as docker runs it on this machine, in a folder that stands for the node's cgroups.
Version 2 was never run on a kernel of its own here.
"""

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from loadtest.cluster.node_counters import CounterReader
from loadtest.cluster.node_files import NodeCounters, Throttling
from tests.unit.cluster.node_shell import container_id, pod_uid, scope

_DOCKER = """#!/bin/sh
[ "$1" = ps ] && { echo node; exit; }
exec bash -c "$(printf %s "$6" | sed 's|/sys/fs/cgroup|'"$CGROUPS"'|')"
"""
_CPU_STAT = """usage_usec 2500000
user_usec 2000000
system_usec 500000
nice_usec 0
core_sched.force_idle_usec 0
nr_periods 40
nr_throttled 3
throttled_usec 250000
nr_bursts 0
burst_usec 0
"""
_PRESSURE = """some avg10=4.94 avg60=1.01 avg300=0.21 total=1500000
full avg10=4.35 avg60=0.89 avg300=0.19 total=663349
"""
_PRESSURES = {f"{what}.pressure": _PRESSURE for what in ("cpu", "memory", "io")}
_VERSION_2 = {
    "cpu.stat": _CPU_STAT,
    "memory.current": "5000\n",
    "memory.stat": "anon 4000\nfile 1000\ninactive_anon 0\ninactive_file 1000\nactive_file 0\n",
    "memory.events": "low 0\nhigh 0\nmax 12\noom 1\noom_kill 1\noom_group_kill 1\n",
    **_PRESSURES,
}
_VERSION_1 = {
    "cpuacct": {"cpuacct.usage": "2500000000\n"},
    "cpu": {
        "cpu.stat": "nr_periods 40\nnr_throttled 3\nthrottled_time 250000000\nnr_bursts 0\nburst_time 0\n"
    },
    "memory": {
        "memory.usage_in_bytes": "5000\n",
        "memory.stat": "cache 1000\ninactive_file 7\ntotal_cache 1000\ntotal_inactive_file 1000\n",
        "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
    },
}


@pytest.fixture
def cgroups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "docker").write_text(_DOCKER)
    (tmp_path / "docker").chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("CGROUPS", str(tmp_path / "cgroup"))
    return tmp_path / "cgroup"


def write(folder: Path, files: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)


def write_version_1(cgroups: Path, container: str) -> None:
    for controller, files in _VERSION_1.items():
        write(cgroups / controller / container, files)
    write(cgroups / "cpuacct" / container, {"cgroup.procs": f"{os.getpid()}\n"})
    write(cgroups / "cpuacct", {"cpuacct.usage": "9000000000\n"})


def write_version_2(cgroups: Path, container: str) -> None:
    write(cgroups / container, {**_VERSION_2, "cgroup.procs": f"{os.getpid()}\n"})
    write(cgroups, {"cgroup.controllers": "cpu io memory pids\n", "cpu.stat": "usage_usec 9000000\n"})


def read() -> NodeCounters:
    with CounterReader("cluster") as reader:
        (node,) = reader.read()
    return node


@pytest.mark.parametrize("write_files", [write_version_1, write_version_2])
def test_both_versions_give_the_same_figures(write_files: Callable[[Path, str], None], cgroups: Path) -> None:
    write_files(cgroups, scope(7, 3))
    before_s = time.time()
    node = read()
    assert before_s <= node.at_s <= time.time()
    assert (node.name, node.cpu_s) == ("node", 9.0)
    (container,) = node.containers
    assert (container.container_id, container.pod_uid) == (container_id(3), pod_uid(7))
    assert (container.cpu_s, container.memory_bytes, container.oom_kills) == (2.5, 4000, 1)
    assert container.throttling == Throttling(periods=40, throttled_periods=3, throttled_s=0.25)
    assert "lo" not in container.traffic


def test_stalls_are_read_where_the_kernel_keeps_them(cgroups: Path) -> None:
    write_version_2(cgroups, scope(7, 3))
    (container,) = read().containers
    assert container.stalled_s == {"cpu": 1.5, "memory": 1.5, "io": 1.5}


def test_stalls_are_read_beside_the_first_version_and_are_none_without(cgroups: Path) -> None:
    write_version_1(cgroups, scope(7, 3))
    assert read().containers[0].stalled_s == {}
    write(cgroups / "unified" / scope(7, 3), _PRESSURES)
    assert read().containers[0].stalled_s == {"cpu": 1.5, "memory": 1.5, "io": 1.5}


def test_containers_that_come_and_go_are_read_while_they_are_there(cgroups: Path) -> None:
    write_version_1(cgroups, scope(1, 1))
    with CounterReader("cluster") as reader:
        assert len(reader.read()[0].containers) == 1
        write_version_1(cgroups, scope(2, 2))
        assert len(reader.read()[0].containers) == 2
        (cgroups / "cpuacct" / scope(1, 1) / "cpuacct.usage").unlink()
        assert [one.container_id for one in reader.read()[0].containers] == [container_id(2)]
