"""The settings that a stack's own file comes to, without an engine."""

from pathlib import Path

import yaml

from infra.model import StackSettings
from infra.parsing import SettingsError, parse
from infra.paths import PROJECT_FILE
from infra.project_file import read_yaml, with_defaults, without_namespace


def settings_of(stack_file: Path) -> StackSettings:
    """The settings that a stack's file comes to. Raises SettingsError with everything wrong."""
    project = read_yaml(PROJECT_FILE)
    try:
        own = read_yaml(stack_file).get("config") or {}
    except FileNotFoundError as error:
        missing = f"there is no stack file {stack_file.name} in the project's folder"
        raise SettingsError([missing]) from error
    except (yaml.YAMLError, TypeError) as error:
        raise SettingsError([f"{stack_file.name} cannot be read: {error}"]) from error
    return parse(with_defaults(project, without_namespace(project, own)), stack=stack_of(stack_file))


def stack_of(stack_file: Path) -> str:
    return stack_file.name.removeprefix("Pulumi.").removesuffix(".yaml")
