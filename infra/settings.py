"""Reads the stack's configuration from Pulumi, and is the only module that does.

Everything wrong with it is one error, raised before the first resource is registered.
"""

from collections.abc import Sequence
from typing import NoReturn

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env

from infra.model import StackSettings
from infra.parsing import SettingsError, parse
from infra.paths import PROJECT_FILE
from infra.placed import set_up_problems
from infra.ports import stack_port_problems
from infra.project_file import read_yaml, with_defaults, without_namespace

# The language host takes this exit code for "the reason was shown" and adds no second error of its own.
_REASON_SHOWN = 32


def load() -> StackSettings:
    """The settings of the stack that is being previewed or deployed."""
    project = read_yaml(PROJECT_FILE)
    # pulumi.Config only answers for a key one knows; a misspelt one shows in the whole mapping alone.
    everything = {**get_config_env(), **CONFIG.get()}
    try:
        settings = parse(
            with_defaults(project, without_namespace(project, everything)), stack=pulumi.get_stack()
        )
    except SettingsError as error:
        _refuse(error.problems)
    _check_machine(settings)
    return settings


def _check_machine(settings: StackSettings) -> None:
    """What set-up brings, a preview needs too; of a taken port, which stops a deployment, it only warns."""
    if lacking := set_up_problems(settings):
        _refuse(lacking)
    problems = stack_port_problems(settings)
    if not problems:
        return
    if not pulumi.runtime.is_dry_run():
        _refuse(problems)
    for problem in problems:
        pulumi.log.warn(problem)


def _refuse(problems: Sequence[str]) -> NoReturn:
    stack = pulumi.get_stack()
    listed = "\n".join(f"  - {problem}" for problem in problems)
    pulumi.log.error(
        f"the configuration of stack {stack} cannot be used:\n{listed}\n"
        f"Nothing was created. Correct Pulumi.{stack}.yaml; Pulumi.yaml explains the settings."
    )
    raise SystemExit(_REASON_SHOWN)
