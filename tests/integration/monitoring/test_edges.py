"""Reading a window's edges with programs that answer as docker and kubectl do."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from loadtest.errors import UnhealthyError
from loadtest.monitoring.edges import edges_around
from loadtest.monitoring.measure import measure
from tests.unit.cluster.node_shell import container_id, version_1
from tests.unit.monitoring.values import FOO_POD, monitoring_target, target, window

Answers = Callable[[dict[str, dict[str, object]]], None]

# Each reading a second after the one before, with half a second more of CPU.
_READING = (
    version_1(1, 1, at_ns=0)
    .replace("at 0", "at $((100 + second))000000000")
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


@pytest.fixture(autouse=True)
def pods(kubectl_on_path: Answers) -> None:
    statuses = [{"name": "main", "containerID": f"containerd://{container_id(1)}"}]
    pod = {"metadata": {"name": FOO_POD, "namespace": "apps"}, "status": {"containerStatuses": statuses}}
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


def test_an_edge_is_read_on_the_way_in_and_one_on_the_way_out(docker: Callable[[str], None]) -> None:
    docker(_DOCKER)
    with edges_around(target().cluster) as edges:
        assert len(edges.read) == 1
    assert [(one.at_s, one.cpu_s) for edge in edges.read for one in edge.counters] == [(100, 0), (101, 0.5)]
    assert (edges.complete, edges.problem) == (True, None)


def test_where_prometheus_is_gone_the_edges_still_tell_and_it_is_said(docker: Callable[[str], None]) -> None:
    docker(_DOCKER)
    stack = target(monitoring=monitoring_target(port=1))
    with edges_around(stack.cluster) as edges:
        pass
    usage = measure(stack, window(100.2, 100.8), {"foo.localhost": 100}, edges=edges)
    assert (usage.scopes[0].cpu_seconds, usage.scopes[0].cpu_window_s) == (0.5, 1.0)
    assert usage.problems[0].startswith("Prometheus at http://127.0.0.1:1 cannot be asked")


def test_a_node_that_cannot_be_read_is_a_problem_in_words_and_no_error(docker: Callable[[str], None]) -> None:
    docker(_DEAD_NODE)
    with edges_around(target().cluster) as edges:
        pass
    assert not edges.complete
    assert "node node cannot be read" in str(edges.problem)


def test_a_node_that_dies_under_load_leaves_no_half_of_a_window(docker: Callable[[str], None]) -> None:
    docker(_DOCKER.replace("    second=", "    [ $second -ge 1 ] && exit\n    second="))
    with edges_around(target().cluster) as edges:
        assert edges.problem is None
    assert not edges.complete
    assert "its shell has ended" in str(edges.problem)


def test_a_load_that_fails_is_not_held_up_by_its_second_edge(docker: Callable[[str], None]) -> None:
    docker(_DOCKER)
    with pytest.raises(UnhealthyError), edges_around(target().cluster) as edges:
        raise UnhealthyError("planted")
    assert len(edges.read) == 1


def test_a_cluster_elsewhere_has_no_edges_and_no_problem(docker: Callable[[str], None]) -> None:
    docker("#!/bin/sh\nexit 1\n")
    with edges_around(target(provider="existing").cluster) as edges:
        pass
    assert (edges.read, edges.problem) == ([], None)
