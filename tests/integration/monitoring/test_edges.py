"""Reading a window's edges with programs that answer as docker and kubectl do."""

import json
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from loadtest.cluster.kubectl import kubectl_for
from loadtest.errors import UnhealthyError
from loadtest.monitoring.edges import Edges, ready_edges
from loadtest.monitoring.measure import measure
from loadtest.monitoring.model import ResourceUsage, Total
from loadtest.sample import LoadWindow
from loadtest.target import TargetEnvironment
from tests.unit.cluster.node_shell import container_id, version_1
from tests.unit.monitoring.values import FOO_POD, monitoring_target, target, window

Answers = Callable[[dict[str, dict[str, object]]], None]

# Each reading a second after the one before, with half a second more of CPU.
_READING = (
    version_1(1, 1, at_us=0)
    .replace("at 0", "at $((100 + second))000000")
    .replace("usage:0", "usage:$((second * 5))00000000")
)
_DOCKER = f"""#!/bin/sh
[ "$1" = ps ] && {{ echo node; exit; }}
second=0
while read -r _; do
    cat <<END
{_READING}
END
    second=$((second + 1))
    echo end
done
"""
_DEAD_NODE = """#!/bin/sh
[ "$1" = ps ] && { echo node; exit; }
echo 'Error response from daemon: container is not running'
exit 1
"""


# As Linux 6.18 said it, shortened between the names; the last line, of version 2 of cgroups, by its source.
_KERNEL_LOG = f"""[   12.5] python3 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0
[   12.5] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=cri-containerd-{container_id(2)}.scope,\
mems_allowed=0,oom_memcg=/docker/{container_id(9)}/kubelet.slice/kubelet-kubepods-pod38e30e5d_fcd9.slice,\
task_memcg=/docker/{container_id(9)}/kubelet.slice/kubelet-kubepods-pod38e30e5d_fcd9.slice/\
cri-containerd-{container_id(1)}.scope,task=python3,pid=20315,uid=65532
[   12.6] Memory cgroup out of memory: Killed process 20315 (python3) total-vm:208744kB, anon-rss:64128kB
[   12.7] Memory cgroup out of memory: Killed process 20316 (python3) total-vm:208744kB, anon-rss:64128kB
[   12.7] Tasks in /kubelet.slice/kubelet-kubepods-pod48e3.slice/cri-containerd-{container_id(3)}.scope \
are going to be killed due to memory.oom.group set
"""


@contextmanager
def edges_of(stack: TargetEnvironment) -> Iterator[Edges]:
    with ready_edges(stack.cluster) as edges, edges.around(stack.cluster, kubectl_for(stack.cluster)):
        yield edges


def measured(
    stack: TargetEnvironment, during: LoadWindow, requests: dict[str, int], edges: Edges
) -> ResourceUsage:
    return measure(stack, during, requests, edges=edges, kubectl=kubectl_for(stack.cluster))


@pytest.fixture(autouse=True)
def pods(kubectl_on_path: Answers) -> None:
    list_pods(kubectl_on_path)


def list_pods(kubectl_on_path: Answers, **ended: object) -> None:
    last = {"terminated": {"containerID": f"containerd://{container_id(1)}", **ended}} if ended else {}
    status = {"name": "main", "containerID": f"containerd://{container_id(1)}", "lastState": last}
    pod = {"metadata": {"name": FOO_POD, "namespace": "apps"}, "status": {"containerStatuses": [status]}}
    kubectl_on_path({"get pods": {"stdout": json.dumps({"items": [pod]})}})


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    folder = tmp_path / "docker"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def install(script: str) -> None:
        (folder / "docker").write_text(script)
        (folder / "docker").chmod(stat.S_IRWXU)

    return install


def test_an_edge_is_read_on_the_way_in_when_the_window_begins_and_on_the_way_out(
    docker: Callable[[str], None],
) -> None:
    docker(_DOCKER)
    with edges_of(target()) as edges:
        assert len(edges.nodes) == len(edges.machine) == 1
        edges.begin()
    assert [(node.at_s, node.containers[0].cpu_s) for edge in edges.nodes for node in edge] == [
        (100, 0),
        (101, 0.5),
        (102, 1.0),
    ]
    assert len(edges.machine) == 3
    assert (edges.complete, edges.problem) == (True, None)


def test_of_the_edges_before_the_load_the_last_one_counts(docker: Callable[[str], None]) -> None:
    docker(_DOCKER)
    stack = target(monitoring=monitoring_target(port=1))
    with edges_of(stack) as edges:
        edges.begin()
    usage = measured(stack, window(101.2, 101.8), {"foo.localhost": 100}, edges)
    assert (usage.scopes[0].cpu_seconds, usage.scopes[0].cpu_window_s) == (0.5, 1.0)
    late = measured(stack, window(100.9, 101.8), {"foo.localhost": 100}, edges)
    assert (late.scopes[0].cpu_seconds, late.scopes[0].cpu_window_s) == (1.0, 2.0)


def test_where_prometheus_is_gone_the_edges_still_tell_and_it_is_said(docker: Callable[[str], None]) -> None:
    docker(_DOCKER)
    stack = target(monitoring=monitoring_target(port=1))
    with edges_of(stack) as edges:
        pass
    usage = measured(stack, window(100.2, 100.8), {"foo.localhost": 100}, edges)
    assert (usage.scopes[0].cpu_seconds, usage.scopes[0].restarts) == (0.5, Total(value=0.0, samples=2))
    assert usage.problems[0].startswith("Prometheus at http://127.0.0.1:1 cannot be asked")


def test_a_node_that_cannot_be_read_is_a_problem_in_words_and_no_error(docker: Callable[[str], None]) -> None:
    docker(_DEAD_NODE)
    with edges_of(target()) as edges:
        pass
    assert not edges.complete
    assert "node node cannot be read" in str(edges.problem)
    assert (len(edges.machine), edges.pods_after is None) == (2, False), "what else there is to read is read"


def test_a_node_that_dies_under_load_leaves_no_half_of_a_window(docker: Callable[[str], None]) -> None:
    docker(_DOCKER.replace("    second=", "    [ $second -ge 2 ] && exit\n    second="))
    with edges_of(target()) as edges:
        assert edges.problem is None
        edges.begin()
        assert len(edges.nodes) == 2
    assert not edges.complete
    assert "its shell has ended" in str(edges.problem)


def test_a_load_that_fails_is_not_held_up_by_its_second_edge(docker: Callable[[str], None]) -> None:
    docker(_DOCKER)
    with pytest.raises(UnhealthyError), edges_of(target()) as edges:
        raise UnhealthyError("planted")
    assert (len(edges.nodes), edges.pods_after) == (1, None)


def with_kernel_log(nodes: str, dmesg: str) -> str:
    """A docker whose nodes answer `dmesg` so."""
    script = _DOCKER.replace("echo node; exit", f"echo '{nodes}'; exit")
    return script.replace("second=0", f"[ $3 = dmesg ] && {{ {dmesg}; }}\nsecond=0", 1)


def test_the_kernel_is_asked_who_was_killed_where_nothing_else_says_why_a_container_ended(
    docker: Callable[[str], None], kubectl_on_path: Answers, tmp_path: Path
) -> None:
    (tmp_path / "log").write_bytes(_KERNEL_LOG.encode() + b"[   12.7] a name \xff\n")
    docker(with_kernel_log("ended\nnode", f"[ $2 = node ] && exec cat {tmp_path}/log; exit 1"))
    with edges_of(target()) as edges:
        list_pods(kubectl_on_path, reason="Error", exitCode=137)
    assert edges.oom_killed == {container_id(1), container_id(3)}, "who was killed, not who asked for memory"


@pytest.mark.parametrize(
    ("before", "after", "dmesg"),
    [
        ({}, {}, "exec cat LOG"),
        ({}, {"reason": "Completed"}, "exec cat LOG"),
        ({}, {"reason": "OOMKilled"}, "exec cat LOG"),
        ({"reason": "Error"}, {"reason": "Error"}, "exec cat LOG"),
        ({}, {"reason": "Error"}, "exit 1"),
    ],
    ids=["no end", "an end by itself", "an explained one", "an old one", "a kernel that says nothing"],
)
def test_a_kernel_that_need_not_or_cannot_be_asked_says_nothing(
    docker: Callable[[str], None],
    kubectl_on_path: Answers,
    tmp_path: Path,
    before: dict[str, str],
    after: dict[str, str],
    dmesg: str,
) -> None:
    (tmp_path / "log").write_text(_KERNEL_LOG)
    docker(with_kernel_log("node", dmesg.replace("LOG", f"{tmp_path}/log")))
    list_pods(kubectl_on_path, **before)
    with edges_of(target()) as edges:
        list_pods(kubectl_on_path, **after)
    assert (edges.oom_killed, edges.problem) == (frozenset(), None)


def test_of_a_cluster_elsewhere_pods_and_this_machine_are_read_and_no_node(
    docker: Callable[[str], None],
) -> None:
    docker("#!/bin/sh\nexit 1\n")
    with edges_of(target(provider="existing")) as edges:
        pass
    assert (edges.nodes, edges.complete, edges.problem) == ([], False, None)
    assert (len(edges.machine), len(edges.pods)) == (2, 2)
