"""Finds a file's SHA-256 in the list that its publisher keeps: pure functions on the list's text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from urllib.parse import urlsplit

_SUM = re.compile("[0-9a-fA-F]{64}")


def sum_of(url: str, published: str) -> str | None:
    """The sum of the file at `url`, in lower case, or None where the list has none."""
    lines = published.splitlines()
    found = _listed(lines, PurePosixPath(urlsplit(url).path).name) or _indexed(lines, url)
    return found.lower() if found else None


def _listed(lines: Sequence[str], wanted: str) -> str | None:
    """In a list as sha256sum writes it; one of a single file need not name it."""
    for line in lines:
        sum_, _, name = line.strip().partition(" ")
        alone = not name and len(lines) == 1
        if (alone or name.strip().lstrip("*") == wanted) and _SUM.fullmatch(sum_):
            return sum_
    return None


def _indexed(lines: Sequence[str], url: str) -> str | None:
    """In the index of a repository of charts, whose entries have their keys in alphabetical order."""
    sum_ = None
    for line in lines:
        key, _, value = line.strip().partition(" ")
        if key == "digest:":
            sum_ = value if _SUM.fullmatch(value) else None
        elif key == "version:":  # an entry's last
            sum_ = None
        elif key == "-" and value == url:
            return sum_
    return None
