"""Reads Pulumi.yaml and Pulumi.<stack>.yaml: the keys' types, the defaults, a stack's own values.

Pulumi.yaml is the one place that states a key's type and default; this gives both to whoever needs them.
Encrypted values stay what they are: no setting of this project is a secret.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml


def read_yaml(path: Path) -> Mapping[str, Any]:
    """The mapping in a YAML file; an empty file is an empty mapping."""
    document = yaml.safe_load(path.read_bytes()) or {}
    if not isinstance(document, Mapping):
        raise TypeError(f"{path.name} holds no mapping of keys to values")
    return document


def schema(project: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    return project["config"]  # type: ignore[no-any-return]  # our own file, its form is tested


def with_defaults(project: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """A stack's own values over the project's defaults, each in its declared type."""
    types = schema(project)
    defaults = {key: declared["default"] for key, declared in types.items() if "default" in declared}
    return {
        key: decoded(value, types.get(key, {}).get("type", "string"))
        for key, value in {**defaults, **own}.items()
    }


def without_namespace(project: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a configuration that are this project's, without `<project>:` before them."""
    prefix = f"{project['name']}:"
    return {key.removeprefix(prefix): value for key, value in config.items() if key.startswith(prefix)}


def decoded(value: object, declared_type: str) -> object:
    """A value in its declared type: `pulumi config set` and the engine hand over numbers and lists as text.

    Text that does not fit is left as it is: whoever parses it says what is wrong.
    """
    if declared_type == "string" or not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return value
