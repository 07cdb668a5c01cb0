"""The project's Python packages: installed once into the cache, seen by every clone's own environment.

The packages of one requirements file, with their hashes, go into an environment in the cache; a clone's
.venv is a light one whose packages and commands lead there, so that a second clone costs next to nothing.
Neither needs ensurepip: the machine's own pip installs. A mark, written last, tells a whole environment
from a half-made one, which is made anew.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from toolchain.cache import Cache
from toolchain.errors import ToolchainError
from toolchain.pins import Purpose
from toolchain.process import Processes

NAME = "python packages"

_MARK = "loadproof-packages.json"
_RUN_FILE = "requirements.txt"
_TEST_FILE = "requirements-dev.txt"
# The file for the tests holds all that the other does, so its packages serve a run as well.
_REQUIREMENTS = {
    Purpose.PUBLISH: (_RUN_FILE, _TEST_FILE),
    Purpose.PREVIEW: (_RUN_FILE, _TEST_FILE),
    Purpose.RUN: (_RUN_FILE, _TEST_FILE),
    Purpose.TEST: (_TEST_FILE,),
}
_PIP_OPTIONS = (
    *("--require-hashes", "--no-input", "--disable-pip-version-check"),
    *("--progress-bar=off", "--no-warn-script-location"),
)
_OF_THE_ENVIRONMENT = ("python", "activate", "Activate", "pip")


@dataclass(frozen=True, kw_only=True)
class PythonEnv:
    """The environment that one clone of the project wants for one purpose."""

    project: Path
    purpose: Purpose
    cache: Cache

    @property
    def folder(self) -> Path:
        return self.project / ".venv"

    def is_current(self) -> bool:
        """Whether the clone's environment leads to whole packages of the requirements as they stand."""
        linked = _mark(self.folder)
        return (self.folder / "bin" / "python").exists() and any(
            linked == self._link_to(packages) for packages in self.packages() if _mark(packages)
        )

    def make(self, *, processes: Processes, report: Callable[[str], None]) -> None:
        """Install the packages if no clone has done it yet, and lead this clone's environment to them."""
        whole = [packages for packages in self.packages() if _mark(packages)]
        packages = whole[0] if whole else self._install(processes, report)
        report("linking")
        self._new_environment(self.folder, processes)
        (site,) = (self.folder / "lib").glob("python*/site-packages")
        (of_packages,) = (packages / "lib").glob("python*/site-packages")
        (site / "loadproof.pth").write_text(f"import site; site.addsitedir({str(of_packages)!r})\n", "utf-8")
        for command in (packages / "bin").iterdir():
            if not command.name.startswith(_OF_THE_ENVIRONMENT):
                (self.folder / "bin" / command.name).symlink_to(command)
        _write_mark(self.folder, self._link_to(packages))

    def _install(self, processes: Processes, report: Callable[[str], None]) -> Path:
        packages, file = self.packages()[0], self.project / _REQUIREMENTS[self.purpose][0]
        self._new_environment(packages, processes)
        report("installing with pip")
        pip = (interpreter_with_pip(self.folder), "-m", "pip", "--python", str(packages / "bin" / "python"))
        self._run(processes, *pip, "install", *_PIP_OPTIONS, "-r", str(file))
        _write_mark(packages, {"requirements": file.name})
        return packages

    def _new_environment(self, folder: Path, processes: Processes) -> None:
        (folder / _MARK).unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        self._run(processes, interpreter_with_pip(self.folder), "-m", "venv", "--without-pip", str(folder))

    def _run(self, processes: Processes, *command: str) -> None:
        processes.run(command, log=self.cache.logs / "python.log", what=NAME, cwd=self.project)

    def packages(self) -> tuple[Path, ...]:
        """Where the packages that would do are, or would be; what serves best comes first."""
        return tuple(self.cache.python / self._key(name) for name in _REQUIREMENTS[self.purpose])

    def _key(self, file: str) -> str:
        """Of everything that an installation depends on: the Python that it is for, and the requirements."""
        digest = hashlib.sha256(f"{sys.version}\0{sys.base_prefix}\0{file}".encode())
        for name in (_RUN_FILE, file):
            digest.update(b"\0" + (self.project / name).read_bytes())
        return digest.hexdigest()[:12]

    def _link_to(self, packages: Path) -> Mapping[str, str]:
        # An environment's scripts name its folder, so one that was moved is not whole.
        return {"folder": str(self.folder), "packages": str(packages)}


def _mark(folder: Path) -> Mapping[str, str]:
    try:
        mark = json.loads((folder / _MARK).read_text(encoding="utf-8"))
        return {str(name): str(value) for name, value in mark.items()}
    except (OSError, ValueError, AttributeError):
        return {}


def _write_mark(folder: Path, mark: Mapping[str, str]) -> None:
    (folder / _MARK).write_text(json.dumps(mark, indent=1) + "\n", encoding="utf-8")


def interpreter_with_pip(environment: Path | None = None) -> str:
    """This Python if it has pip, else the one that this one's environment was made from.

    Never that of `environment`, which may be about to be deleted: with its folder first on PATH it runs this.
    """
    inside = environment is not None and Path(sys.prefix).resolve() == environment.resolve()
    if importlib.util.find_spec("pip") and not inside:
        return sys.executable
    base = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    command = (str(base), "-c", "import pip, venv")
    if base.exists() and subprocess.run(command, capture_output=True, check=False).returncode == 0:
        return str(base)
    raise ToolchainError(
        f"{base} has no pip, so no package can be installed",
        hint="install it (on Debian: apt install python3-pip)",
    )
