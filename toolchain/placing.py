"""Puts parts where they are looked for: commands beside the environment's Python, plugins in Pulumi's home.

Everything placed is a link into the cache or a small generated file, none of it under version control, and
all of it can be placed again at any time.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from toolchain.cache import Cache
from toolchain.catalogue import Catalogue
from toolchain.pins import Kind
from toolchain.sources.found import OWN_PLUGIN_MARK


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where the parts of one clone of the project go."""

    project: Path
    pulumi_home: Path

    @classmethod
    def of(cls, project: Path, environment: Mapping[str, str]) -> Places:
        home = environment.get("PULUMI_HOME")
        return cls(
            project=project, pulumi_home=Path(home) if home else project / ".toolchain" / "pulumi-home"
        )

    @property
    def commands(self) -> Path:
        return self.project / ".venv" / "bin"

    def links(self, catalogue: Catalogue, cache: Cache, names: Collection[str]) -> Mapping[Path, Path]:
        """Every link that the parts want, and what it leads to."""
        links: dict[Path, Path] = {}
        for name in names:
            part = catalogue.parts[name]
            folder = cache.folder(part, catalogue.keys[name])
            links |= {self.commands / command: folder / "bin" / command for command in part.links}
            for place, inner in part.row.get("place", {}).items():
                links[self.project / ".toolchain" / place] = folder / inner
            if part.kind is Kind.PLUGIN:
                plugin = f"resource-{name.removeprefix('pulumi-resource-')}-v{part.version}"
                links[self.pulumi_home / "plugins" / plugin / name] = folder / "bin" / name
        return links


def misplaced(links: Mapping[Path, Path]) -> tuple[Path, ...]:
    """The links that are not as they should be; a plugin of the user's own in its place is left as it is."""
    return tuple(
        link for link, target in links.items() if not _leads_to(link, target) and not _users_own(link)
    )


def place(links: Mapping[Path, Path]) -> None:
    for link in misplaced(links):
        link.parent.mkdir(parents=True, exist_ok=True)
        if link.parent.parent.name == "plugins":
            (link.parent / OWN_PLUGIN_MARK).touch()
        # By a rename, because another set-up or a run may be using the link meanwhile.
        fresh = link.with_name(f".{link.name}.{os.getpid()}")
        fresh.symlink_to(links[link])
        fresh.replace(link)


def _leads_to(link: Path, target: Path) -> bool:
    return link.is_symlink() and link.readlink() == target


def _users_own(link: Path) -> bool:
    return (
        link.parent.parent.name == "plugins"
        and link.exists()
        and not (link.parent / OWN_PLUGIN_MARK).exists()
    )
