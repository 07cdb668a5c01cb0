"""The images of a set-up as one file in the cache, for machines that keep the cache and not the engine.

A CI service's runner is one: its engine is empty each time, while a folder can be handed from run to run.
An image that comes back is the same one by its id, or set-up gets it again.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from toolchain.cache import Cache
from toolchain.process import Processes

_LOG = "images.log"


def archive(cache: Cache) -> Path:
    return cache.root / "images.tar"


def save(cache: Cache, references: Collection[str]) -> str:
    """Write the images into the archive; the value says what became of it."""
    if not references:
        return "no image is wanted, so none is kept"
    fresh = archive(cache).with_suffix(".fresh")
    _docker(cache, "save", "--output", str(fresh), *references)
    fresh.replace(archive(cache))
    return f"{len(references)} images are kept in {archive(cache)}"


def load(cache: Cache) -> str:
    """Give the engine what was kept, if anything was."""
    if not archive(cache).exists():
        return "no images were kept"
    _docker(cache, "load", "--quiet", "--input", str(archive(cache)))
    return f"the images of {archive(cache)} are in the container engine"


def _docker(cache: Cache, *arguments: str) -> None:
    cache.logs.mkdir(parents=True, exist_ok=True)
    Processes().run(("docker", *arguments), log=cache.logs / _LOG, what="kept images")
