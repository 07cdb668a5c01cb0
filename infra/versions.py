"""The versions and images the stack is made of: as toolchain/pins.toml pins them, and as set-up left them."""

import tomllib
from functools import cache
from typing import Any

import yaml

from infra.paths import CHARTS, PINS_FILE, ROOT


def version(part: str) -> str:
    """The pinned version of a part, such as `kubernetes`."""
    return str(_pins()[part]["version"])


def image(repository: str) -> str:
    """The pinned image of a repository, such as `prom/prometheus`, with its tag."""
    references = [row["image"]["reference"] for row in _pins().values() if "image" in row]
    (reference,) = [found for found in references if found.rpartition(":")[0] == repository]
    return str(reference)


def image_of_part(part: str) -> str | None:
    """The image that a part is, with its tag; None where it is none."""
    row = _pins()[part]
    return str(row["image"]["reference"]) if "image" in row else None


def is_optional(part: str) -> bool:
    """Whether a run does without it where it is not to be had."""
    return bool(_pins()[part].get("optional", False))


def places_of_part(part: str) -> tuple[str, ...]:
    """Where set-up puts it, in the folder of what it brings."""
    return tuple(_pins()[part].get("place", ()))


def images_in_node_image() -> frozenset[str]:
    """Set-up gets these for nothing else: no row of theirs says what they are for."""
    rows = (row for row in _pins().values() if "image" in row and "for" not in row)
    return frozenset(str(row["image"]["reference"]) for row in rows)


def chart_version(name: str) -> str:
    """What the chart that set-up put in its place says of itself: a stand-in is not what is pinned."""
    document = yaml.safe_load((ROOT / CHARTS / name / "Chart.yaml").read_bytes())
    return str(document["version"])


@cache
def _pins() -> dict[str, Any]:
    return tomllib.loads(PINS_FILE.read_text())
