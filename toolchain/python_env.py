"""The project's virtual environment, made from the pinned requirements with their hashes.

It needs neither ensurepip nor a pip inside: the machine's own pip installs into it. A stamp, written last,
tells a whole environment from a half-made one, which is made anew.
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

_STAMP = "loadproof-env.json"
_RUN_FILE = "requirements.txt"
_TEST_FILE = "requirements-dev.txt"
_PIP_OPTIONS = (
    *("--require-hashes", "--no-input", "--disable-pip-version-check"),
    *("--progress-bar=off", "--no-warn-script-location"),
)


@dataclass(frozen=True, kw_only=True)
class PythonEnv:
    """The environment that one clone of the project wants for one purpose."""

    project: Path
    purpose: Purpose

    @property
    def folder(self) -> Path:
        return self.project / ".venv"

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def is_current(self) -> bool:
        """Whether it is whole and made from the requirements as they stand."""
        stamp = self._stamp()
        return self.python.exists() and self._wanted().items() <= stamp.items()

    def make(self, *, cache: Cache, processes: Processes, report: Callable[[str], None]) -> None:
        """Install what is wanted: into the environment that is there if nothing in it changed, else anew."""
        log = cache.logs / "python.log"
        interpreter = interpreter_with_pip(self.folder)
        wanted, stamp = self._wanted(), self._stamp()
        changed = any(wanted.get(name, value) != value for name, value in stamp.items())
        (self.folder / _STAMP).unlink(missing_ok=True)
        if changed or not stamp or not self.python.exists():
            report("making the virtual environment")
            shutil.rmtree(self.folder, ignore_errors=True)
            processes.run((interpreter, "-m", "venv", "--without-pip", str(self.folder)), log=log, what=NAME)
        report("installing with pip")
        # requirements-dev.txt holds all that requirements.txt does, so one file is installed, never both.
        file = self.project / list(wanted)[-1]
        command = (interpreter, "-m", "pip", "--python", str(self.python), "install", *_PIP_OPTIONS)
        processes.run((*command, "-r", str(file)), log=log, what=NAME, cwd=self.project)
        (self.folder / _STAMP).write_text(json.dumps(wanted, indent=1) + "\n", encoding="utf-8")

    def _wanted(self) -> Mapping[str, str]:
        files = (_RUN_FILE, _TEST_FILE) if self.purpose is Purpose.TEST else (_RUN_FILE,)
        sums = {name: hashlib.sha256((self.project / name).read_bytes()).hexdigest() for name in files}
        # Scripts in an environment name its folder, so one that was moved is not whole.
        return {"folder": str(self.folder), **sums}

    def _stamp(self) -> Mapping[str, str]:
        try:
            stamp = json.loads((self.folder / _STAMP).read_text(encoding="utf-8"))
            return {str(name): str(value) for name, value in stamp.items()}
        except (OSError, ValueError, AttributeError):
            return {}


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
