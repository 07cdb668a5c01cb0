"""The kubectl value against a program that answers as kubectl does, and worse."""

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from loadtest.cluster.kubectl import Kubectl
from loadtest.cluster.objects import Node
from loadtest.errors import MachineError, UnhealthyError
from tests.integration.fake_program import FakeProgram


@pytest.fixture
def kubectl(program: FakeProgram) -> Kubectl:
    return Kubectl(kubeconfig_path="some/kubeconfig", context="kind-x", program=program.path)


def test_every_call_names_its_kubeconfig_and_context(program: FakeProgram, kubectl: Kubectl) -> None:
    program.answers({"get pods": {"stdout": "text"}})
    assert kubectl.text("get", "pods") == "text"
    assert program.asked() == [["--kubeconfig", "some/kubeconfig", "--context", "kind-x", "get", "pods"]]


def test_objects_are_read_as_what_they_are(program: FakeProgram, kubectl: Kubectl) -> None:
    document = {"kind": "List", "items": [{"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}]}
    program.answers({"get nodes -o json": {"stdout": json.dumps(document)}})
    assert [node.metadata.name for node in kubectl.items(Node, "nodes")] == ["a", "b"]


def test_all_namespaces_are_only_those_that_may_be_looked_into(
    program: FakeProgram, kubectl: Kubectl
) -> None:
    item = {"metadata": {"name": "a"}}
    program.answers({"get": {"stdout": json.dumps({"items": [item]})}, "describe": {"stdout": "text\n"}})
    confined = replace(kubectl, kubeconfig_path=None, namespaces=("one", "two"))

    assert len(confined.items(Node, "pods", "--all-namespaces")) == 2
    assert confined.text("describe", "pods", "--all-namespaces") == "text\ntext\n"

    assert [call[2:] for call in program.asked()] == [
        ["get", "pods", "--namespace=one", "-o", "json"],
        ["get", "pods", "--namespace=two", "-o", "json"],
        ["describe", "pods", "--namespace=one"],
        ["describe", "pods", "--namespace=two"],
    ]


def test_a_refusal_is_an_error_with_kubectls_own_words(program: FakeProgram, kubectl: Kubectl) -> None:
    program.answers({"get": {"code": 1, "stderr": "Error from server (Forbidden): no"}})
    with pytest.raises(
        UnhealthyError, match=r"`kubectl get nodes` failed: Error from server \(Forbidden\): no"
    ):
        kubectl.text("get", "nodes")


def test_words_without_end_are_cut(program: FakeProgram, kubectl: Kubectl) -> None:
    program.answers({"get": {"code": 1, "stderr": "x" * 100_000}})
    with pytest.raises(UnhealthyError) as caught:
        kubectl.text("get", "nodes")
    assert len(caught.value.message) < 1000


@pytest.mark.parametrize("answer", ["", "no JSON", "{}", '{"items": [{"metadata": {}}]}', '{"items": 3}'])
def test_an_answer_that_makes_no_sense_is_an_error(
    program: FakeProgram, kubectl: Kubectl, answer: str
) -> None:
    program.answers({"get": {"stdout": answer}})
    with pytest.raises(UnhealthyError, match="something unexpected"):
        kubectl.items(Node, "nodes")


def test_a_cluster_that_hangs_is_given_up_after_the_time_limit(
    program: FakeProgram, kubectl: Kubectl
) -> None:
    program.answers({"get": {"stays_s": 30}})
    began_s = time.monotonic()
    with pytest.raises(UnhealthyError, match=r"gave no answer within 0\.3 s"):
        kubectl.text("get", "nodes", timeout_s=0.3)
    assert time.monotonic() - began_s < 5


def test_a_machine_without_kubectl_is_told_how_to_get_it(tmp_path: Path) -> None:
    missing = Kubectl(kubeconfig_path="k", context="c", program=str(tmp_path / "nowhere"))
    with pytest.raises(MachineError, match="nowhere") as caught:
        missing.text("get", "nodes")
    assert "make setup" in caught.value.hint
    with pytest.raises(MachineError, match="nowhere"):
        missing.start("port-forward")
