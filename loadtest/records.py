"""What a run writes down between its stages, so that any stage can be looked at, or done again, alone."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec

from loadtest.errors import UsageError
from loadtest.machine import Machine
from loadtest.plan import LoadPlan
from loadtest.report.model import RunIdentity
from loadtest.target import TargetEnvironment
from loadtest.versions import Versions

_Value = TypeVar("_Value")


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """Everything a report needs beside samples, resources and timings.

    Saved before the load is sent, and once more with the versions, which are asked for after it.
    """

    run: RunIdentity
    machine: Machine
    target: TargetEnvironment
    plan: LoadPlan
    versions: Versions = field(default_factory=Versions)


def save(value: object, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")


def load(kind: type[_Value], file: Path) -> _Value:
    """Raises UsageError where the file is not there or does not fit."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except FileNotFoundError as error:
        raise UsageError(
            f"there is no {file.name} in {file.parent}", hint="`python -m loadtest run` writes it."
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(
            f"{file} cannot be read: {error}", hint="It is from another version, or damaged."
        ) from error
