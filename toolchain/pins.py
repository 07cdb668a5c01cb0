"""Reads pins.toml: which parts there are, in which version, and where each platform's download lies.

It checks the file's form and nothing else: whether an address answers or a sum is right shows on use.
"""

from __future__ import annotations

import platform
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from toolchain.errors import ToolchainError, WrongUseError

PINS_FILE = Path(__file__).with_name("pins.toml")

PLATFORMS = ("linux-amd64", "linux-arm64", "darwin-amd64", "darwin-arm64")

_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Kind(StrEnum):
    """What a part is, which decides where it is put once it is there."""

    TOOL = "tool"
    PLUGIN = "plugin"
    IMAGE = "image"
    FOLDER = "folder"


class Purpose(StrEnum):
    """What a set-up is for; each part says which of them want it. A part of none serves to make others."""

    RUN = "run"
    TEST = "test"
    PREVIEW = "preview"
    PUBLISH = "publish"


@dataclass(frozen=True, kw_only=True)
class Download:
    """One platform's file; where no sum is pinned, it stands in the publisher's own list at `checksums`."""

    url: str
    sha256: str | None
    checksums: str | None


@dataclass(frozen=True, kw_only=True)
class Unpack:
    """Where a download's content goes in the part's folder: a bare file as `file`, an archive into `into`."""

    into: str
    file: str | None
    strip: int


@dataclass(frozen=True, kw_only=True)
class Found:
    """How the part is recognised on the machine: `commands` on PATH, and what prints the version."""

    commands: tuple[str, ...]
    version_command: tuple[str, ...]
    at_least: bool


@dataclass(frozen=True, kw_only=True)
class ImagePin:
    """An image's plain reference, as the stack names it, and its digest in the upstream registry."""

    reference: str
    pull: str | None


@dataclass(frozen=True, kw_only=True)
class Part:
    """One thing the project needs, pinned."""

    name: str
    version: str
    kind: Kind
    purposes: frozenset[Purpose]
    builder: bool
    """Serves only to build others: taken from wherever it is to be had, whatever way is forced."""
    assembled: bool
    """Made here from other parts in every case: a forced way applies to those."""
    by_stack: bool
    """Wanted where a stack needs it, and by the tests in every case."""
    optional: bool
    """Whoever wants it goes on without it where it cannot be had."""
    links: tuple[str, ...]
    found: Found | None
    downloads: Mapping[str, Download]
    unpack: Unpack
    image: ImagePin | None
    row: Mapping[str, Any]
    """The row of pins.toml as it stands, with whatever else the part's recipe reads from it."""


def this_platform() -> str:
    """The machine as pins.toml names it: linux-amd64, darwin-arm64, ..."""
    machine = _MACHINES.get(platform.machine().lower())
    system = platform.system().lower()
    if machine is None or system not in {"linux", "darwin"}:
        raise ToolchainError(
            f"no tool is pinned for {platform.system()} on {platform.machine()}",
            hint="use Linux or macOS on amd64 or arm64 (on Windows: inside WSL)",
        )
    return f"{system}-{machine}"


def load_pins(file: Path = PINS_FILE) -> Mapping[str, Part]:
    """Every part by name, in the order of the file."""
    try:
        rows = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise WrongUseError(
            f"{file.name} cannot be read: {error}", hint="restore it from version control"
        ) from error
    return {name: _part(name, row) for name, row in rows.items()}


def _part(name: str, row: Mapping[str, Any]) -> Part:
    try:
        version = str(row["version"])
        return Part(
            name=name,
            version=version,
            kind=Kind(row["kind"]),
            purposes=frozenset(Purpose(purpose) for purpose in row.get("for", ())),
            builder=bool(row.get("builder", False)),
            assembled=bool(row.get("assembled", False)),
            by_stack=bool(row.get("by_stack", False)),
            optional=bool(row.get("optional", False)),
            links=tuple(row.get("links", ())),
            found=_found(row["found"]) if "found" in row else None,
            downloads=_downloads(row["download"], version) if "download" in row else {},
            unpack=_unpack(row.get("unpack", {})),
            image=_image(row["image"]) if "image" in row else None,
            row=row,
        )
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise WrongUseError(
            f"pins.toml, part {name}: {error!r}", hint="compare the row with its neighbours"
        ) from error


def _found(row: Mapping[str, Any]) -> Found:
    command = tuple(row["version"])
    return Found(
        commands=tuple(row.get("commands", command[:1])),
        version_command=command,
        at_least=bool(row.get("at_least", False)),
    )


def _downloads(row: Mapping[str, Any], version: str) -> Mapping[str, Download]:
    """One entry for each platform; `names` says what the publisher calls a platform where that differs."""
    sums, names, checksums = row.get("sha256", {}), row.get("names", {}), row.get("checksums")
    downloads = {}
    for key in PLATFORMS:
        sha256 = sums if isinstance(sums, str) else sums.get(key)
        if sha256 is None and checksums is None:
            continue
        if sha256 is not None and not _SHA256.fullmatch(sha256):
            raise ValueError(f"{sha256!r} is no SHA-256")
        filled = {"version": version, "platform": names.get(key, key)}
        downloads[key] = Download(
            url=row["url"].format(**filled),
            sha256=sha256,
            checksums=checksums.format(**filled) if checksums else None,
        )
    return downloads


def _unpack(row: Mapping[str, Any]) -> Unpack:
    return Unpack(into=row.get("into", "bin"), file=row.get("file"), strip=int(row.get("strip", 0)))


def _image(row: Mapping[str, Any]) -> ImagePin:
    return ImagePin(reference=row["reference"], pull=row.get("pull"))
