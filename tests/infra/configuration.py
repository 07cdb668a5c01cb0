"""Configurations to test with: that of the committed `ci` stack, and the same with something changed."""

import json
from collections.abc import Mapping
from typing import Any

from infra.model import StackSettings
from infra.parsing import SettingsError, parse
from infra.paths import PROJECT_FILE, ROOT
from infra.project_file import read_yaml, with_defaults, without_namespace

STACK = "test"
PROJECT = read_yaml(PROJECT_FILE)


def ci_config(**changed: Any) -> dict[str, Any]:
    own = without_namespace(PROJECT, read_yaml(ROOT / "Pulumi.ci.yaml")["config"])
    return {**with_defaults(PROJECT, own), **changed}


def ci_settings(**changed: Any) -> StackSettings:
    return parse(ci_config(**changed), stack=STACK)


def as_the_engine_hands_it_over(**changed: Any) -> dict[str, str]:
    return {
        f"loadproof:{key}": value if isinstance(value, str) else json.dumps(value)
        for key, value in ci_config(**changed).items()
    }


def app(name: str, **changed: Any) -> dict[str, Any]:
    sound = {
        "name": name,
        "host": f"{name}.localhost",
        "image": "hashicorp/http-echo:1.0.0",
        "args": [f"-text={name}"],
        "port": 5678,
        "expected_body": name,
    }
    return {key: value for key, value in {**sound, **changed}.items() if value is not None}


def problems(config: Mapping[str, Any]) -> tuple[str, ...]:
    try:
        parse(config, stack=STACK)
    except SettingsError as error:
        return error.problems
    return ()
