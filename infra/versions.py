"""The versions and images the stack is made of, from the one file that pins them, toolchain/pins.toml."""

import tomllib
from functools import cache
from typing import Any

from infra.paths import PINS_FILE


def version(part: str) -> str:
    """The pinned version of a part, such as `kubernetes`."""
    return str(_pins()[part]["version"])


def image(repository: str) -> str:
    """The pinned image of a repository, such as `prom/prometheus`, with its tag."""
    references = [row["image"]["reference"] for row in _pins().values() if "image" in row]
    (reference,) = [found for found in references if found.rpartition(":")[0] == repository]
    return str(reference)


@cache
def _pins() -> dict[str, Any]:
    return tomllib.loads(PINS_FILE.read_text())
