"""Which findings are accepted, and why: `.trivyignore.yaml`, of Trivy's own form, with a statement each.

Trivy matches them. Each path becomes an entry of its own with a number in its statement, by which its report
tells exactly which of them matched something, and so which have become stale. Leaves out vulnerabilities'
package addresses and expiry: they are handed on as they are.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import yaml

from loadtest.errors import UsageError

FILE = ".trivyignore.yaml"

Entries = dict[str, list[dict[str, Any]]]
"""Kind (misconfigurations, vulnerabilities, secrets) -> entries, as in the file."""


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Of one entry and one of its paths; `own` are those of the repository that is scanned."""

    kind: str
    id: str
    path: str
    mark: str
    own: bool


@dataclass(frozen=True, kw_only=True)
class Explanations:
    """`entries` are what Trivy is given."""

    entries: Entries
    each: tuple[Explanation, ...]

    def stale(self, statements: Iterable[str], kinds: Collection[str]) -> tuple[Explanation, ...]:
        """Of those kinds that were looked for everywhere, and of the repository's own."""
        used = {statement.rpartition(" ")[2] for statement in statements}
        return tuple(one for one in self.each if one.own and one.kind in kinds and one.mark not in used)


def read(project: Path, repository: Path) -> Explanations:
    """The project's own explain what it deploys; a repository that is another one adds to them."""
    folders = dict.fromkeys((project.resolve(), repository.resolve()))
    entries: Entries = {}
    each: list[Explanation] = []
    for folder in folders:
        for kind, entry in _entries(folder / FILE):
            for path in entry.get("paths") or [None]:
                mark = f"[{len(each) + 1}]"
                statement = f"{entry.get('statement', '')} {mark}"
                paths = {} if path is None else {"paths": [path]}
                entries.setdefault(kind, []).append({**entry, **paths, "statement": statement})
                each.append(
                    Explanation(
                        kind=kind,
                        id=str(entry["id"]),
                        path=path or "every file",
                        mark=mark,
                        own=folder == repository.resolve(),
                    )
                )
    return Explanations(entries=entries, each=tuple(each))


class _Entry(msgspec.Struct):
    id: str
    paths: list[str] = []
    statement: str = ""


def _entries(file: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Raises UsageError where the file makes no sense."""
    if not file.exists():
        return
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        msgspec.convert(document, type=dict[str, list[_Entry]])
    except (OSError, yaml.YAMLError, msgspec.ValidationError) as error:
        raise UsageError(
            f"{file} cannot be read: {error}",
            hint="Each kind of finding in it is a list of entries with an id, paths and a statement.",
        ) from error
    for kind, listed in document.items():
        yield from ((kind, entry) for entry in listed)
