"""The browser for the tests: used where it is, installed on Debian as root, asked for anywhere else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from toolchain import browser, debian
from toolchain.cache import Cache
from toolchain.errors import ToolchainError


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The search path of a Debian machine of root's without a browser."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(browser, "debian_codename", lambda: "bookworm")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return folder


def put(folder: Path, name: str, text: str = "#!/bin/sh\n") -> None:
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


@pytest.mark.parametrize("name", ["chromium", "google-chrome"])
def test_a_browser_that_is_there_is_used_as_it_is(programs: Path, tmp_path: Path, name: str) -> None:
    put(programs, name)
    browser.ensure_browser(cache=Cache(root=tmp_path / "cache"), say=pytest.fail)
    assert str(programs / name) == browser.browser()


def test_a_missing_one_is_installed_and_said_so_first(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = tmp_path / "apt-get.calls"
    put(programs, "apt-get", f'#!/bin/sh\necho "$@" >> {calls}\n')
    (tmp_path / "apt").mkdir()
    (tmp_path / "apt/sources.list").write_text("deb http://mirror.example/debian bookworm main\n")
    source = debian.debian_source(tmp_path / "apt", "bookworm")
    monkeypatch.setattr(browser, "debian_source", lambda: source)
    said: list[str] = []
    browser.ensure_browser(cache=Cache(root=tmp_path / "cache"), say=said.append)
    assert ["no browser for the tests on this machine: installing Debian bookworm's chromium"] == said
    update, install = calls.read_text().splitlines()
    assert update.endswith(" update")
    assert install.endswith(" install --yes --no-install-recommends chromium")


@pytest.mark.parametrize(("codename", "user"), [("", 0), ("bookworm", 1000)])
def test_elsewhere_it_is_told_what_to_install(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, codename: str, user: int
) -> None:
    monkeypatch.setattr(browser, "debian_codename", lambda: codename)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    with pytest.raises(ToolchainError) as caught:
        browser.ensure_browser(cache=Cache(root=tmp_path / "cache"), say=pytest.fail)
    assert "install Chromium or Chrome" in caught.value.hint
    assert 3 == caught.value.exit_code
