"""Images kept as a file, with an engine's command line of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolchain import kept_images
from toolchain.cache import Cache
from toolchain.errors import ToolchainError

DOCKER = """#!/bin/sh
echo "$@" >> "{calls}"
case "$1" in
save) [ ! -e "{broken}" ] && echo images > "$3" || {{ echo half > "$3"; echo no space >&2; exit 1; }} ;;
esac
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text(DOCKER.format(calls=tmp_path / "calls", broken=tmp_path / "broken"))
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{docker.parent}:/usr/bin:/bin")
    return tmp_path


def test_what_was_saved_is_loaded(folder: Path) -> None:
    cache = Cache(root=folder / "cache")
    assert kept_images.save(cache, ["a:1", "b:2"]).startswith("2 images are kept in ")
    assert kept_images.load(cache).endswith("are in the container engine")
    saved, loaded = (folder / "calls").read_text().splitlines()
    assert saved.endswith(" a:1 b:2")
    assert loaded == f"load --quiet --input {folder / 'cache' / 'images.tar'}"


def test_without_a_file_there_is_nothing_to_load(folder: Path) -> None:
    assert kept_images.load(Cache(root=folder / "cache")) == "no images were kept"
    assert not (folder / "calls").exists()


def test_half_a_file_is_never_kept(folder: Path) -> None:
    (folder / "broken").touch()
    cache = Cache(root=folder / "cache")
    with pytest.raises(ToolchainError, match="no space"):
        kept_images.save(cache, ["a:1"])
    assert kept_images.load(cache) == "no images were kept"


def test_where_no_image_is_wanted_none_is_kept(folder: Path) -> None:
    assert kept_images.save(Cache(root=folder / "cache"), []) == "no image is wanted, so none is kept"
