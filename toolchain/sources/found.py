"""Recognises a part that the machine has already, in the right version, and takes it as it is.

The project's own links and the cache are left out of the search: what set-up made itself is not a find.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path

from toolchain.errors import CommandError, NotObtainableError
from toolchain.pins import Found, Part
from toolchain.process import Processes

OWN_PLUGIN_MARK = ".loadproof"

_VERSION = re.compile(r"\d+(?:\.\d+)+")
_NO_NETWORK = {"PULUMI_SKIP_UPDATE_CHECK": "true"}


def search_path(environment: Mapping[str, str], own: Collection[Path]) -> str:
    """PATH without the folders that set-up fills itself."""
    folders = environment.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(
        folder for folder in folders if folder and not any(_within(Path(folder), root) for root in own)
    )


def find_tool(part: Part, found: Found, out: Path, *, path: str, processes: Processes, log: Path) -> str:
    """Link the machine's own commands into `out`; returns where the first of them is."""
    commands = {name: shutil.which(name, path=path) for name in found.commands}
    missing = [name for name, place in commands.items() if place is None]
    if missing:
        raise NotObtainableError(
            f"not on PATH: {', '.join(missing)}", hint=f"install {part.name} {part.version}"
        )
    place = str(commands[found.version_command[0]])
    printed = _version_output(part, (place, *found.version_command[1:]), processes, log)
    versions = _VERSION.findall(printed)
    if not any(_fits(version, part.version, at_least=found.at_least) for version in versions[:3]):
        raise NotObtainableError(
            f"{place} is version {versions[0] if versions else 'unknown'}, wanted is {part.version}",
            hint=f"install {part.name} {part.version}",
        )
    folder = out / "bin"
    folder.mkdir()
    for name, where in commands.items():
        (folder / name).symlink_to(str(where))
    return place


def find_plugin(part: Part, out: Path, *, environment: Mapping[str, str]) -> str:
    """Link a provider plugin that the engine has already; returns where it is."""
    home = Path(environment.get("PULUMI_HOME") or Path.home() / ".pulumi")
    provider = part.name.removeprefix("pulumi-resource-")
    folder = home / "plugins" / f"resource-{provider}-v{part.version}"
    half_installed = folder.with_name(f"{folder.name}.partial").exists()
    if half_installed or not (folder / part.name).is_file() or (folder / OWN_PLUGIN_MARK).exists():
        raise NotObtainableError(
            f"{folder} is half installed" if half_installed else f"{folder} has no {part.name}",
            hint=f"`pulumi plugin install resource {provider} v{part.version}`",
        )
    (out / "bin").mkdir()
    (out / "bin" / part.name).symlink_to(folder / part.name)
    return str(folder)


def _version_output(part: Part, command: tuple[str, ...], processes: Processes, log: Path) -> str:
    try:
        return processes.run(command, log=log, what=part.name, env=_NO_NETWORK)
    except CommandError as error:
        raise NotObtainableError(f"{command[0]} does not tell its version", hint=error.hint) from error


def _fits(version: str, wanted: str, *, at_least: bool) -> bool:
    actual, least = _numbers(version), _numbers(wanted)
    return actual >= least if at_least else actual == least


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))


def _within(folder: Path, root: Path) -> bool:
    return folder.absolute().is_relative_to(root) or folder.resolve().is_relative_to(root.resolve())
