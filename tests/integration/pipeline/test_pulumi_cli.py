"""The stack's state as it is read: with a program that answers as `pulumi` does."""

import json

import pytest

from loadtest.errors import DeployError
from loadtest.pulumi_cli import PulumiStack
from tests.integration.pipeline.conftest import NEVER_BEGUN, Bench

SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x"}


def stack_of(bench: Bench) -> PulumiStack:
    return PulumiStack(project=bench.root, stack="ci", logs=bench.root / "logs")


def has_outputs(bench: Bench, **outputs: object) -> None:
    resources = [
        {"type": "command:local:Command", "outputs": {"stdout": "its own"}},
        {"type": "pulumi:pulumi:Stack", "outputs": outputs},
    ]
    export = json.dumps({"version": 3, "deployment": {"resources": resources}})
    bench.pulumi.answers({"stack export": {"stdout": export}, "": {}})


def test_outputs_are_those_of_the_stack_itself(bench: Bench) -> None:
    has_outputs(bench, schema_version=1, kubeconfig=SECRET)
    assert {"schema_version": 1, "kubeconfig": SECRET} == stack_of(bench).outputs()


def test_a_stack_that_was_never_deployed_has_none(bench: Bench) -> None:
    bench.pulumi.answers(NEVER_BEGUN)
    assert {} == stack_of(bench).outputs()


@pytest.mark.parametrize("answer", [{"code": 1, "stderr": "error: planted"}, {"stdout": "no JSON"}])
def test_a_state_that_cannot_be_read_is_told(bench: Bench, answer: dict[str, object]) -> None:
    bench.pulumi.answers({"stack export": answer})
    with pytest.raises(DeployError, match="the stack's outputs cannot be read"):
        stack_of(bench).outputs()


def test_the_state_is_read_once_until_something_may_have_changed_it(bench: Bench) -> None:
    has_outputs(bench, number=1)
    stack = stack_of(bench)
    stack.outputs()
    has_outputs(bench, number=2)
    assert {"number": 1} == stack.outputs()
    for change in (lambda: stack.up(print), stack.destroy, stack.release_lock, stack.forget):
        has_outputs(bench, number=stack.outputs()["number"] + 1)
        change()
        before, stack_now = len(bench.pulumi.asked()), stack.outputs()
        assert len(bench.pulumi.asked()) == before + 1, stack_now
