"""Takes packages from Debian, for the container engine and for what goes into images.

All of it happens in a folder of its own (lists, caches, preferences), so that the machine's own package
lists and settings stay as they are. Mirror and keyring are the machine's own: no address stands here.
"""

from __future__ import annotations

import os
import platform
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from toolchain.errors import ToolchainError

_ARCHIVE_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


class Run(Protocol):
    """Runs a command to its end and returns its output: BuildContext.run, or the like."""

    def __call__(self, *args: str, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Source:
    """One archive of the machine's apt sources: where it is, what it holds, and who signs it."""

    uri: str
    suites: tuple[str, ...]
    components: tuple[str, ...]
    keyring: str


@dataclass(frozen=True, kw_only=True)
class Apt:
    """apt-get with lists, caches and preferences of its own below `folder`."""

    folder: Path
    suites: tuple[str, ...]
    source: Source
    run: Run

    def update(self) -> None:
        """Fetch the package lists of the suites."""
        for name in ("lists/partial", "cache/archives/partial"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        lines = (f"deb [signed-by={self.source.keyring}] {self.source.uri} {s} main\n" for s in self.suites)
        (self.folder / "sources.list").write_text("".join(lines), encoding="utf-8")
        (self.folder / "preferences").touch()
        self._apt_get("update")

    def prefer(self, suite: str, packages: Iterable[str]) -> None:
        """Take these packages from the suite, and any other from it only where no suite before has it."""
        (self.folder / "preferences").write_text(
            f"Package: *\nPin: release n={suite}\nPin-Priority: 100\n\n"
            f"Package: {' '.join(packages)}\nPin: release n={suite}\nPin-Priority: 990\n",
            encoding="utf-8",
        )

    def install(self, *packages: str) -> None:
        """Install on this machine, without what is merely recommended."""
        self._apt_get("install", "--yes", "--no-install-recommends", *packages)

    def unpack(self, packages: Iterable[str], root: Path) -> Mapping[str, str]:
        """Unpack exactly these packages below `root`, running none of their scripts; name -> version."""
        archives = self.folder / "unpacked"
        archives.mkdir()
        self._apt_get("download", *packages, cwd=archives)
        root.mkdir(parents=True, exist_ok=True)
        return dict(self._unpack(archive, root) for archive in sorted(archives.glob("*.deb")))

    def _unpack(self, archive: Path, root: Path) -> tuple[str, str]:
        self.run("dpkg-deb", "--extract", str(archive), str(root))
        name, version = self.run("dpkg-deb", "--show", str(archive)).split()
        return name.partition(":")[0], version

    def _apt_get(self, *args: str, cwd: Path | None = None) -> None:
        options = {
            "Dir::Etc::sourcelist": self.folder / "sources.list",
            "Dir::Etc::sourceparts": "-",
            "Dir::Etc::preferences": self.folder / "preferences",
            "Dir::Etc::preferencesparts": "-",
            "Dir::State::lists": self.folder / "lists",
            "Dir::Cache": self.folder / "cache",
            # The unprivileged user apt would download as cannot enter a cache folder below /root.
            "APT::Sandbox::User": "root",
            "Acquire::Languages": "none",
            "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
        }
        given = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
        self.run(
            "apt-get",
            *given,
            *args,
            cwd=cwd,
            env={"DEBIAN_FRONTEND": "noninteractive", "PATH": path_with_sbin()},
        )


def path_with_sbin() -> str:
    """The search path with root's programs, which a root shell got by plain `su` does not have."""
    return f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


def debian_source(apt: Path = Path("/etc/apt"), codename: str | None = None) -> Source:
    """The machine's own Debian archive: it has the machine's suite, and by custom is called `debian`."""
    codename = codename or debian_codename()
    has_it = [s for s in _sources(apt) if codename in s.suites and "main" in s.components]
    if not has_it:
        raise ToolchainError(
            f"the apt sources below {apt} name no Debian archive with {codename or 'a Debian release'}",
            hint="building from Debian's packages needs a Debian machine with its usual apt sources",
        )
    return next((s for s in has_it if s.uri.rstrip("/").endswith("/debian")), has_it[0])


def debian_codename() -> str:
    """The release this machine runs ("bookworm"), empty where it is not Debian."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return ""
    return release.get("VERSION_CODENAME", "") if release.get("ID") == "debian" else ""


def _sources(apt: Path) -> Iterator[Source]:
    for file in sorted((apt / "sources.list.d").glob("*.sources")):
        for stanza in file.read_text(encoding="utf-8").split("\n\n"):
            yield from _from_stanza(stanza)
    for file in (apt / "sources.list", *sorted((apt / "sources.list.d").glob("*.list"))):
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        for line in lines:
            yield from _from_line(line)


def _from_stanza(stanza: str) -> Iterator[Source]:
    fields: dict[str, str] = {}
    name = ""
    for line in stanza.splitlines():
        if line.startswith("#") or not line.strip():
            continue
        if line[0].isspace():
            fields[name] += f" {line.strip()}"
        else:
            name, _, value = line.partition(":")
            fields[name] = value.strip()
    if "deb" in fields.get("Types", "").split() and fields.get("Enabled", "yes") != "no":
        for uri in fields.get("URIs", "").split():
            yield Source(
                uri=uri,
                suites=tuple(fields.get("Suites", "").split()),
                components=tuple(fields.get("Components", "").split()),
                keyring=_keyring(fields.get("Signed-By", "")),
            )


def _from_line(line: str) -> Iterator[Source]:
    words = shlex.split(line, comments=True)
    if len(words) < 4 or words[0] != "deb":
        return
    options: list[str] = []
    rest = words[1:]
    if rest[0].startswith("["):
        end = next((i for i, word in enumerate(rest) if word.endswith("]")), len(rest))
        options, rest = [word.strip("[]") for word in rest[: end + 1]], rest[end + 1 :]
    if len(rest) < 2:
        return
    signed = next((o.partition("=")[2] for o in options if o.startswith("signed-by=")), "")
    uri, suite, *components = rest
    yield Source(uri=uri, suites=(suite,), components=tuple(components), keyring=_keyring(signed))


def _keyring(signed_by: str) -> str:
    """The key file named; Debian's own where none is, or where a key stands in the field itself."""
    return signed_by if signed_by.startswith("/") else _ARCHIVE_KEYRING
