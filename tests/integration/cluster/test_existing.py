"""A cluster that is there already, with a kubectl that answers as told: will it do, and what is ours?"""

import json

import pytest

from loadtest.cluster import existing
from loadtest.cluster.kubectl import Kubectl
from loadtest.errors import LoadTestError, UsageError
from loadtest.exit_codes import ExitCode
from tests.integration.fake_program import FakeProgram

SELECTOR = "loadproof/prefix=pr-1"
CONTEXTS = {"get-contexts": {"stdout": "staging\nother\n"}}
ANSWERS = {"get --raw /version": {"stdout": "{}"}}
ALLOWED = {"create": {"stdout": "true namespaces\ntrue services\n"}}
REFUSED = {
    "get --raw /version": {
        "code": 1,
        "stderr": "The connection to the server 127.0.0.1:6443 was refused - did you specify the right host?",
    }
}


def namespaces(*names: str, **of_prefixes: str) -> dict[str, dict[str, str]]:
    """Plain ones, and those of stacks: a name for each prefix."""
    items: list[object] = [{"metadata": {"name": name}} for name in names]
    items += [
        {"metadata": {"name": name, "labels": {"loadproof/prefix": prefix}}}
        for prefix, name in of_prefixes.items()
    ]
    return {"get namespaces": {"stdout": json.dumps({"items": items})}}


@pytest.fixture
def kubectl(program: FakeProgram) -> Kubectl:
    return Kubectl(kubeconfig_path=None, context="staging", program=program.path)


def problems(kubectl: Kubectl, *, autoscalers: bool = False, chaos: bool = False) -> list[LoadTestError]:
    asked = {"autoscalers": autoscalers, "chaos": chaos}
    return list(existing.problems(kubectl, prefix="pr-1-", selector=SELECTOR, **asked))


def test_a_cluster_that_answers_and_allows_all_has_no_problems(
    program: FakeProgram, kubectl: Kubectl
) -> None:
    program.answers(CONTEXTS | ANSWERS | ALLOWED | namespaces("default", "pr-10-apps"))
    assert problems(kubectl) == []


def test_every_right_is_asked_for_in_one_call_which_changes_nothing(
    program: FakeProgram, kubectl: Kubectl
) -> None:
    program.answers(CONTEXTS | ANSWERS | ALLOWED | namespaces())
    problems(kubectl)
    (reviews,) = [call for call in program.asked() if "create" in call]
    assert "--filename" in reviews


def test_an_unknown_context_is_told_with_those_there_are(program: FakeProgram, kubectl: Kubectl) -> None:
    program.answers({"get-contexts": {"stdout": "prod\nother\n"}})
    with pytest.raises(UsageError, match="no context 'staging'") as caught:
        problems(kubectl)
    assert "prod, other" in caught.value.hint


def test_a_cluster_that_does_not_answer_is_a_problem_and_nothing_more_is_asked(
    program: FakeProgram, kubectl: Kubectl
) -> None:
    program.answers(CONTEXTS | REFUSED)
    (problem,) = problems(kubectl)
    assert "does not answer" in problem.message
    assert "was refused" in problem.message
    assert problem.exit_code is ExitCode.MACHINE


def test_a_refusal_is_an_answer(program: FakeProgram, kubectl: Kubectl) -> None:
    program.answers(CONTEXTS | {"get --raw": {"code": 1, "stderr": "Error from server (Forbidden): no"}})
    assert existing.out_of_reach(kubectl) is None


def test_autoscalers_want_the_metrics_api_which_nobody_else_asks_for(
    program: FakeProgram, kubectl: Kubectl
) -> None:
    missing = {"metrics.k8s.io": {"code": 1, "stderr": "Error from server (NotFound): no such resource"}}
    program.answers(CONTEXTS | ANSWERS | ALLOWED | namespaces() | missing)
    assert problems(kubectl) == []
    (problem,) = problems(kubectl, autoscalers=True)
    assert "no metrics for it to decide by" in problem.message
    assert "NotFound" in problem.message
    assert problem.exit_code is ExitCode.MACHINE
    program.answers(CONTEXTS | ANSWERS | ALLOWED | namespaces() | {"metrics.k8s.io": {"stdout": "{}"}})
    assert problems(kubectl, autoscalers=True) == []


@pytest.mark.parametrize("autoscalers", [True, False])
def test_the_right_to_make_autoscalers_is_asked_for_where_there_are_any(
    program: FakeProgram, kubectl: Kubectl, autoscalers: bool
) -> None:
    allowed = {"create": {**ALLOWED["create"], "reads": True}}
    program.answers(CONTEXTS | ANSWERS | allowed | namespaces() | {"metrics.k8s.io": {"stdout": "{}"}})
    problems(kubectl, autoscalers=autoscalers)
    assert ("horizontalpodautoscalers" in program.told()) is autoscalers


def test_lacking_rights_are_told_all_at_once(program: FakeProgram, kubectl: Kubectl) -> None:
    reviews = {"create": {"stdout": "false namespaces\ntrue services\nfalse ingressclasses\n"}}
    program.answers(CONTEXTS | ANSWERS | reviews | namespaces())
    (problem,) = problems(kubectl)
    assert "may not create namespaces, ingressclasses" in problem.message
    assert problem.exit_code is ExitCode.USAGE


def test_a_strangers_namespace_of_the_prefix_is_never_taken_over(
    program: FakeProgram, kubectl: Kubectl
) -> None:
    program.answers(CONTEXTS | ANSWERS | ALLOWED | namespaces("pr-1-apps", "default"))
    (problem,) = problems(kubectl)
    assert "(pr-1-apps)" in problem.message
    assert "another namespace_prefix" in problem.hint


def test_an_earlier_runs_namespaces_are_leftovers(program: FakeProgram, kubectl: Kubectl) -> None:
    program.answers(CONTEXTS | ANSWERS | ALLOWED | namespaces("default", **{"pr-1": "pr-1-apps"}))
    (problem,) = problems(kubectl)
    assert "make destroy" in problem.hint
    assert problem.exit_code is ExitCode.MACHINE


def test_a_stack_whose_longer_prefix_begins_alike_is_in_nobodys_way(
    program: FakeProgram, kubectl: Kubectl
) -> None:
    program.answers(CONTEXTS | ANSWERS | ALLOWED | namespaces(**{"pr-1-2": "pr-1-2-apps"}))
    assert problems(kubectl) == []


def test_leftovers_and_a_strangers_are_told_apart(program: FakeProgram, kubectl: Kubectl) -> None:
    program.answers(CONTEXTS | ANSWERS | ALLOWED | namespaces("pr-1-theirs", **{"pr-1": "pr-1-apps"}))
    own, strange = problems(kubectl)
    assert "there already (pr-1-apps)" in own.message
    assert "not the stack's (pr-1-theirs)" in strange.message


def test_what_is_ours_is_found_and_removed_by_its_label_alone(program: FakeProgram, kubectl: Kubectl) -> None:
    program.answers({"get namespaces": {"stdout": "namespace/pr-1-apps\nclusterrole.x/pr-1-y\n"}})
    assert existing.leftovers(kubectl, SELECTOR) == ("namespace/pr-1-apps", "clusterrole.x/pr-1-y")
    assert "--selector loadproof/prefix=pr-1" in existing.removal(kubectl, SELECTOR)


def test_chaos_takes_the_right_to_delete_pods(program: FakeProgram, kubectl: Kubectl) -> None:
    sound = CONTEXTS | ANSWERS | ALLOWED | namespaces()
    program.answers({"auth can-i delete pods --namespace pr-1-apps": {"stdout": "yes"}} | sound)
    assert problems(kubectl, chaos=True) == []
    program.answers({"auth can-i": {"code": 1, "stdout": "no"}} | sound)
    (refused,) = problems(kubectl, chaos=True)
    assert "context 'staging' may not delete pods" in refused.message
    assert problems(kubectl) == [], "nobody else is asked for it"
