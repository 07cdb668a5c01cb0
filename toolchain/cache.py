"""The folder where parts are kept, shared by every clone of the project and every run of one user.

A part's folder appears whole, by one rename, with a record of its files; a folder whose files no longer
match the record is not taken. Which part is wanted, and how it is got, is decided elsewhere.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from toolchain.errors import ToolchainError
from toolchain.pins import Part

RECORD = "part.json"
# How the name of a folder begins that is being removed, or whose removal was interrupted.
REMOVING = ".removing-"
_MOUNTS = Path("/proc/self/mountinfo")


@dataclass(frozen=True, kw_only=True)
class Record:
    """What a part's folder says of itself."""

    name: str
    version: str
    key: str
    way: str
    origin: str
    seconds: float
    files: Mapping[str, tuple[int, int]]
    """Size in bytes and time of change in nanoseconds of each file, links followed."""


@dataclass(frozen=True, kw_only=True)
class Cache:
    """The paths under one root. Nothing is created before it is used."""

    root: Path

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Cache:
        """$LOADPROOF_CACHE, else the user's cache folder as the platform's convention has it."""
        own = environment.get("LOADPROOF_CACHE")
        if own:
            return cls(root=Path(own).expanduser().absolute())
        base = environment.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        return cls(root=Path(base) / "loadproof")

    @property
    def parts(self) -> Path:
        return self.root / "parts"

    @property
    def downloads(self) -> Path:
        return self.root / "downloads"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def python(self) -> Path:
        return self.root / "python"

    @property
    def go_mod(self) -> Path:
        return self.root / "go" / "mod"

    @property
    def go_build(self) -> Path:
        return self.root / "go" / "build"

    def folder(self, part: Part, key: str) -> Path:
        return self.parts / part.name / f"{part.version}-{key}"

    def record(self, part: Part, key: str) -> Record | None:
        """What is there of the part, or None where there is nothing."""
        try:
            fields = json.loads((self.folder(part, key) / RECORD).read_text(encoding="utf-8"))
            files = {
                name: (int(size), int(changed_ns)) for name, (size, changed_ns) in fields.pop("files").items()
            }
            return Record(**fields, files=files)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def damage(self, part: Part, key: str) -> str | None:
        """What is wrong with a part's folder that is there, in words; None where nothing is, or no folder."""
        folder = self.folder(part, key)
        if not folder.exists():
            return None
        record = self.record(part, key)
        if record is None:
            return f"{RECORD} is missing or unreadable"
        for name, expected in record.files.items():
            if _stamp(folder / name) != expected:
                return f"{name} is missing or was changed"
        return None

    def new_work(self, part: Part) -> Path:
        """An empty folder for a part in the making, on the same file system as the finished ones."""
        folder = self.work / part.name
        remove(folder)
        folder.mkdir(parents=True)
        return folder

    def publish(self, part: Part, key: str, made: Path, *, way: str, origin: str, seconds: float) -> Path:
        """Make a filled folder the part's own, in one step; what stood there before goes."""
        files = {str(file.relative_to(made)): _stamp(file) for file in _files(made)}
        record = Record(
            name=part.name,
            version=part.version,
            key=key,
            way=way,
            origin=origin,
            seconds=round(seconds, 1),
            files={name: stamp for name, stamp in files.items() if stamp is not None},
        )
        (made / RECORD).write_text(json.dumps(asdict(record), indent=1) + "\n", encoding="utf-8")
        final = self.folder(part, key)
        remove(final)
        final.parent.mkdir(parents=True, exist_ok=True)
        made.rename(final)
        return final


def remove(folder: Path) -> None:
    """Remove a folder if it is there, read-only ones (the Go module cache) included."""
    if not folder.exists():
        return
    _refuse_mounts(folder)
    doomed = Path(tempfile.mkdtemp(prefix=REMOVING, dir=folder.parent))
    folder.rename(doomed)  # takes an empty folder's place
    for below, _, _ in os.walk(doomed):
        Path(below).chmod(0o700)
    shutil.rmtree(doomed)


def _refuse_mounts(folder: Path) -> None:
    """What is mounted below a folder (the machine's own /dev, say) must not be removed with it."""
    mounted = next((mount for mount in _mounts() if mount.is_relative_to(folder.resolve())), None)
    if mounted is not None:
        raise ToolchainError(
            f"{folder} cannot be removed: something is mounted at {mounted}",
            hint=f"umount {shlex.quote(str(mounted))}, and run the same again",
        )


def _mounts() -> Iterator[Path]:
    """The mount points this process sees; on a system that does not list them, no part mounts anything."""
    table = _MOUNTS.read_bytes().splitlines() if _MOUNTS.exists() else []
    for line in table:
        escaped = line.split()[4]  # a blank in it is written \040
        yield Path(os.fsdecode(escaped.decode("unicode_escape").encode("latin-1")))


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in sorted(folder.rglob("*")) if not file.is_dir())


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        stat = file.stat()
    except OSError:
        return None
    return stat.st_size, stat.st_mtime_ns


def free_bytes(folder: Path) -> int:
    """What is left on the disk a folder is on, or will be on."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free
