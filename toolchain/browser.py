"""The browser that tests open pages in: used where it is, on Debian as root installed where it is not.

Anywhere else the user is told what to install. Pages are for any browser; that tests take this family says
nothing about others.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from toolchain.cache import Cache
from toolchain.debian import Apt, debian_codename, debian_source
from toolchain.errors import ToolchainError
from toolchain.process import Processes

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_PACKAGE = "chromium"


def browser() -> str | None:
    """The first of the names that are known on the search path."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


def ensure_browser(*, cache: Cache, say: Callable[[str], None]) -> None:
    if browser() is not None:
        return
    codename = debian_codename()
    if not codename or os.geteuid() != 0:
        raise ToolchainError(
            f"there is no {' or '.join(_NAMES)} on the search path, which tests open the report's page in",
            hint="install Chromium or Chrome; on Debian, root's set-up installs it by itself",
        )
    say(f"no browser for the tests on this machine: installing Debian {codename}'s {_PACKAGE}")
    _install(codename, cache)


def _install(codename: str, cache: Cache) -> None:
    def run(*args: str, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
        log = cache.logs / "browser.log"
        return Processes().run(args, log=log, what="browser", cwd=cwd, env=env)

    folder = cache.root / "browser" / "apt"
    apt = Apt(folder=folder, suites=(codename,), source=debian_source(), run=run)
    apt.update()
    apt.install(_PACKAGE)
