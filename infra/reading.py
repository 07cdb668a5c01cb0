"""Reads plain values out of a mapping and collects everything wrong with them: one error can list it all.

A wrong value is noted and stood in for by a harmless one, so that reading goes on: whoever started the
reading looks at the problems before using any value. Knows nothing of what the values are for.
"""

import difflib
import json
import math
import re
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, TypeVar

from infra.quantity import parse_bytes, parse_cores

Choice = TypeVar("Choice", bound=StrEnum)
Value = TypeVar("Value")

_SHOWN_CHARACTERS = 60
REQUIRED: Final = object()


class WrongValueError(Exception):
    """A value is not what it has to be; the message says what that is."""


def shown(value: object) -> str:
    """A wrong value as an error shows it: quoted, one line, of bounded length."""
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"


@dataclass(kw_only=True)
class Section:
    """One mapping of the configuration, found at `where`; it remembers which of its keys were asked for."""

    values: Mapping[str, Any]
    where: str
    problems: list[str]
    _known: list[str] = field(default_factory=list)

    def text(self, key: str, *, form: re.Pattern[str], rule: str, default: object = REQUIRED) -> str:
        return self._read(key, default, "", lambda value: _text(value, form, rule))

    def integer(self, key: str, *, at_least: int, at_most: int, default: object = REQUIRED) -> int:
        return self._read(key, default, 0, lambda value: _integer(value, at_least, at_most))

    def boolean(self, key: str) -> bool:
        return self._read(key, REQUIRED, False, _boolean)

    def number(self, key: str) -> float:
        return self._read(key, REQUIRED, 0.0, _number)

    def number_text(self, key: str, *, at_least: float = -math.inf, at_most: float = math.inf) -> float:
        """A number that may stand as text: Pulumi declares no type of setting that holds fractions."""
        return self._read(
            key, REQUIRED, 0.0, lambda value: _number_within(_from_text(value), at_least, at_most)
        )

    def number_or_none(
        self, key: str, *, at_least: float = -math.inf, at_most: float = math.inf
    ) -> float | None:
        return self._optional(key, lambda value: _number_within(value, at_least, at_most))

    def choice(self, key: str, choices: type[Choice], *, default: object = REQUIRED) -> Choice:
        return self._read(key, default, next(iter(choices)), lambda value: _choice(value, choices))

    def name_in(self, key: str, table: Iterable[str]) -> str:
        """One of the table's names."""
        return self._read(key, REQUIRED, "", lambda value: _name(value, tuple(table)))

    def name_or_none(self, key: str, table: Iterable[str]) -> str | None:
        return self._optional(key, lambda value: _name(value, tuple(table)))

    def cpu(self, key: str, *, default: str) -> str:
        rule = "an amount of CPU from 1m, such as 100m or 0.5"
        return self._read(key, default, default, lambda value: _quantity(value, parse_cores, rule))

    def memory(self, key: str, *, default: str) -> str:
        rule = "an amount of memory such as 64Mi"
        return self._read(key, default, default, lambda value: _quantity(value, parse_bytes, rule))

    def texts(self, key: str) -> tuple[str, ...]:
        return self._read(key, [], (), _texts)

    def sections(self, key: str, *, label: str) -> list["Section"]:
        """The mappings listed under `key`; each is known by its own `label` value where it has one."""
        nothing: list[object] = []
        listed = self._read(key, REQUIRED, nothing, _list)
        return [self._subsection(f"{key}[{index}]", item, label) for index, item in enumerate(listed)]

    def mapping(self, key: str) -> "Section | None":
        """The mapping under `key`; None where there is no such key, or something else under it."""
        if key not in self.values:
            self._known.append(key)
            return None
        nothing: Mapping[str, object] | None = None
        values = self._read(key, REQUIRED, nothing, _mapping)
        if values is None:
            return None
        return Section(values=values, where=f"{self.where}{key}: ", problems=self.problems)

    def problem(self, key: str, complaint: str) -> None:
        self.problems.append(f"{self.where}{key} {complaint}")

    def close(self) -> None:
        """Notes every key that nothing asked for: a misspelt setting must not be passed over in silence."""
        for key in sorted(set(self.values) - set(self._known)):
            near = difflib.get_close_matches(key, self._known, n=1)
            meant = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(self._known))}"
            self.problem(key, f"is not a setting: {meant}")

    def _subsection(self, key: str, item: object, label: str) -> "Section":
        if not isinstance(item, Mapping):
            self.problem(key, f"is {shown(item)}, it has to be a mapping with the key {label}")
            return Section(values={}, where="", problems=[])
        name = item.get(label)
        where = f"{self.where}{key} ({name})" if isinstance(name, str) else f"{self.where}{key}"
        return Section(values=item, where=f"{where}: ", problems=self.problems)

    def _optional(self, key: str, parse: Callable[[Any], Value]) -> Value | None:
        nothing: Value | None = None
        return self._read(key, None, nothing, lambda value: None if value is None else parse(value))

    def _read(self, key: str, default: object, stand_in: Value, parse: Callable[[Any], Value]) -> Value:
        self._known.append(key)
        value = self.values.get(key, default)
        if value is REQUIRED:
            self.problem(key, "is not set")
            return stand_in
        try:
            return parse(value)
        except WrongValueError as error:
            self.problem(key, f"is {shown(value)}, it has to be {error}")
            return stand_in


def _text(value: object, form: re.Pattern[str], rule: str) -> str:
    if not isinstance(value, str) or not form.fullmatch(value):
        raise WrongValueError(rule)
    return value


def _integer(value: object, at_least: int, at_most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not at_least <= value <= at_most:
        raise WrongValueError(f"a whole number from {at_least} to {at_most}")
    return value


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise WrongValueError("true or false")
    return value


def _number(value: object) -> float:
    # The last: neither .nan nor .inf, nor a whole number too large for a float.
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:
        raise WrongValueError("a number")
    return float(value)


def _number_within(value: object, at_least: float, at_most: float) -> float:
    number = _number(value)
    if not at_least <= number <= at_most:
        rule = f"from {at_least:g} to {at_most:g}" if math.isfinite(at_most) else f"from {at_least:g} on"
        raise WrongValueError(f"a number {rule}")
    return number


def _from_text(value: object) -> object:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except json.JSONDecodeError:
        return value


def _choice(value: object, choices: type[Choice]) -> Choice:
    return choices(_name(value, tuple(choices)))


def _name(value: object, names: Collection[str]) -> str:
    if not isinstance(value, str) or value not in names:
        raise WrongValueError(f"one of {', '.join(names)}")
    return value


def _quantity(value: object, parse: Callable[[str], Decimal | None], rule: str) -> str:
    if not isinstance(value, str) or parse(value) is None:
        raise WrongValueError(rule)
    return value


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise WrongValueError("a list")
    return value


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise WrongValueError("a mapping")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise WrongValueError("a list of texts")
    return tuple(value)


def repeated(values: Iterable[str]) -> list[str]:
    """Those that occur more than once, each once, in order."""
    listed = list(values)
    return sorted({value for value in listed if listed.count(value) > 1})
