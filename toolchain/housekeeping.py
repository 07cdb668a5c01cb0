"""What is in the cache, and what of it can go. Nothing here gets or makes anything."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

from toolchain import lock
from toolchain.cache import REMOVING, Cache, remove
from toolchain.catalogue import Catalogue
from toolchain.sources import Way


def status_lines(catalogue: Catalogue, cache: Cache) -> Iterator[str]:
    """A table of the parts: name, version, how it was got, where it is."""
    rows = [("part", "version", "how", "where")]
    for name, part in catalogue.parts.items():
        key = catalogue.keys[name]
        record, damage = cache.record(part, key), cache.damage(part, key)
        how = f"damaged: {damage}" if damage else Way(record.way).done if record else "not there"
        where = (record.origin if record.way == Way.FOUND else str(cache.folder(part, key))) if record else ""
        rows.append((name, part.version, how, where))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        yield "  ".join([*cells, row[3]]).rstrip()


def unused(catalogue: Catalogue, cache: Cache, packages: Collection[Path]) -> tuple[Path, ...]:
    """What neither the pins nor the requirements as they stand name, and what was left half done."""
    wanted = {cache.folder(part, catalogue.keys[name]) for name, part in catalogue.parts.items()}
    wanted.update(packages)
    there = (*cache.parts.glob("*/*"), *cache.python.glob("*"))
    folders = [folder for folder in there if folder.is_dir() and folder not in wanted]
    unfinished = (cache.downloads, cache.work, *sorted(cache.root.glob(f"{REMOVING}*")))
    return (*sorted(folders), *(folder for folder in unfinished if folder.exists()))


def everything(cache: Cache) -> tuple[Path, ...]:
    """All of the cache but the lock, which the removal itself holds."""
    return tuple(sorted(path for path in cache.root.glob("*") if path != cache.lock))


def clean(
    cache: Cache, find: Callable[[], Iterable[Path]], *, dry_run: bool, say: Callable[[str], None]
) -> Iterator[str]:
    """Remove the paths of the cache that `find` names, or only tell them; a line for each, and one for all.

    They are found under the lock: a set-up that was waited for may have removed some and added others.
    """
    total_bytes = 0
    with lock.held(cache.lock, waiting=say):
        for path in find():
            size_bytes = _size_bytes(path)
            total_bytes += size_bytes
            if not dry_run:
                remove(path) if path.is_dir() else path.unlink()
            yield f"{size_bytes / 1_000_000:8.0f} MB  {path}"
    yield f"{total_bytes / 1_000_000:8.0f} MB  {'in all, nothing removed' if dry_run else 'removed in all'}"


def _size_bytes(path: Path) -> int:
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.lstat().st_size for file in files if not file.is_dir())
