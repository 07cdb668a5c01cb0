"""Asking for versions, of programs that answer as docker and kubectl do."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from loadtest.cluster.kubectl import Kubectl
from loadtest.cluster.versions import read_versions
from loadtest.versions import NodeVersions

Answers = Callable[[dict[str, dict[str, object]]], None]

_DOCKER = """#!/bin/sh
case "$1" in
    ps) echo worker; echo load-balancer ;;
    version) echo 26.1.5 ;;
    inspect) echo '/worker node:1 sha256:a'; echo '/load-balancer envoy:1 sha256:b' ;;
esac
"""
_KUBECTL = Kubectl(kubeconfig_path="kubeconfig", context="kind-cluster")
_INFO = {"kubeletVersion": "v1.34.4", "containerRuntimeVersion": "containerd://1.7", "kernelVersion": "6.1.0"}
_WORKER = NodeVersions(name="worker", kubelet="v1.34.4", container_runtime="containerd://1.7", kernel="6.1.0")


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "docker").write_text(_DOCKER)
    (tmp_path / "docker").chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return tmp_path / "docker"


@pytest.fixture
def nodes(kubectl_on_path: Answers) -> None:
    node = {"metadata": {"name": "worker"}, "status": {"nodeInfo": _INFO}}
    kubectl_on_path({"get nodes": {"stdout": json.dumps({"items": [node]})}})


@pytest.mark.usefixtures("docker", "nodes")
def test_a_node_that_is_a_container_has_its_image() -> None:
    found = read_versions(_KUBECTL, (), kind_cluster="cluster", namespaces={"apps"})
    (node,) = found.nodes
    assert (found.engine, node.kubelet, node.image, node.image_id) == (
        "26.1.5",
        "v1.34.4",
        "node:1",
        "sha256:a",
    )
    assert found.problems == ()


@pytest.mark.usefixtures("nodes")
def test_of_a_cluster_elsewhere_the_engine_is_not_asked(docker: Path) -> None:
    docker.write_text("#!/bin/sh\nexit 1\n")
    found = read_versions(_KUBECTL, (), kind_cluster=None, namespaces={"apps"})
    assert (found.engine, found.nodes, found.problems) == (None, (_WORKER,), ())


@pytest.mark.usefixtures("nodes")
def test_an_engine_that_says_no_leaves_what_the_cluster_said(docker: Path) -> None:
    docker.write_text("#!/bin/sh\nexit 1\n")
    found = read_versions(_KUBECTL, (), kind_cluster="cluster", namespaces={"apps"})
    assert found.nodes == (_WORKER,)
    assert "not all versions are known: `docker version" in found.problems[0]


@pytest.mark.usefixtures("docker")
def test_nodes_that_may_not_be_listed_are_a_problem_in_words(kubectl_on_path: Answers) -> None:
    kubectl_on_path({"get nodes": {"stderr": "forbidden", "code": 1}})
    found = read_versions(_KUBECTL, (), kind_cluster=None, namespaces={"apps"})
    assert found.nodes == ()
    assert "forbidden" in found.problems[0]
