"""What is in the cache is whole or is not taken, whatever happened to it or while it was made."""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.toolchain.hosts import file_host
from tests.toolchain.world import World, tool_row
from toolchain import housekeeping
from toolchain.cache import REMOVING, remove
from toolchain.errors import ToolchainError
from toolchain.sources.build import BuildContext, Recipe


def two_files(context: BuildContext) -> None:
    (context.out / "bin").mkdir()
    (context.out / "bin" / context.part.name).write_text("whole")
    (context.out / "data").write_text("whole")


@pytest.mark.parametrize("fault", ["cut", "removed", "record cut", "record removed", "touched"])
def test_a_damaged_entry_is_named_and_got_again(world: World, fault: str) -> None:
    world.pins, world.recipes = tool_row("kind"), {"kind": Recipe(build=two_files)}
    world.gather("kind")
    folder = world.part_folder("kind")
    match fault:
        case "cut":
            (folder / "data").write_text("wh")
        case "removed":
            (folder / "data").unlink()
        case "record cut":
            (folder / "part.json").write_text('{"name": "kind", ')
        case "record removed":
            (folder / "part.json").unlink()
        case "touched":
            os.utime(folder / "data", ns=(1, 1))
    world.gather("kind")
    assert "kind: its cache entry is damaged" in world.said
    assert (folder / "data").read_text() == "whole"
    world.gather("kind")
    assert world.said == "", "an entry that was made again is made once more"


def test_a_damaged_entry_that_cannot_be_got_again_is_an_error_that_names_the_part(world: World) -> None:
    with file_host(files={"kind": b"x"}) as host:
        world.pins = tool_row("kind", url=host.url("kind"), content=b"x")
        world.gather("kind")
    (world.part_folder("kind") / "bin" / "kind").unlink()
    with pytest.raises(ToolchainError, match=r"kind 1\.2\.3 cannot be got"):
        world.gather("kind")
    assert "bin/kind is missing or was changed" in world.said


def test_an_interrupted_build_leaves_no_entry_and_what_was_finished_is_kept(world: World) -> None:
    made = []

    def first(context: BuildContext) -> None:
        made.append(context.part.name)
        two_files(context)

    def second(context: BuildContext) -> None:
        two_files(context)
        if "interrupted" not in made:
            made.append("interrupted")
            raise KeyboardInterrupt
        made.append(context.part.name)

    world.pins = tool_row("binary") + tool_row("image")
    world.recipes = {"image": Recipe(needs=("binary",), build=second), "binary": Recipe(build=first)}
    with pytest.raises(KeyboardInterrupt):
        world.gather("image")
    assert world.record("image") is None, "a half-finished build is taken for a whole one"
    world.gather("image")
    assert made == ["binary", "interrupted", "image"], "what was finished is made again"


def test_a_part_appears_by_a_rename_and_not_file_by_file(world: World) -> None:
    numbers = []

    def build(context: BuildContext) -> None:
        two_files(context)
        numbers.append(context.out.stat().st_ino)

    world.pins, world.recipes = tool_row("kind"), {"kind": Recipe(build=build)}
    world.gather("kind")
    assert [world.part_folder("kind").stat().st_ino] == numbers


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "tiny"
    folder.mkdir()
    mounted = subprocess.run(
        ("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)), capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("this user may not mount a small disk")
    yield folder
    subprocess.run(("umount", str(folder)), check=True)


def test_a_full_disk_is_named_with_the_part_and_the_remedy(tiny_disk: Path) -> None:
    world = World(folder=tiny_disk)
    content = b"x" * 3_000_000
    with file_host(files={"kind": content}) as host:
        world.pins = tool_row("kind", url=host.url("kind"), content=content)
        with pytest.raises(ToolchainError, match=r"kind: no disk space left for it \(0 MB free at ") as error:
            world.gather("kind")
    assert "LOADPROOF_CACHE" in error.value.hint


def test_a_full_disk_during_a_build_is_named_with_the_part_and_the_remedy(tiny_disk: Path) -> None:
    def fill(context: BuildContext) -> None:
        context.run("dd", "if=/dev/zero", f"of={context.out / 'big'}", "bs=1M", "count=3")

    world = World(folder=tiny_disk, pins=tool_row("kind"), recipes={"kind": Recipe(build=fill)})
    with pytest.raises(ToolchainError, match="kind: ") as error:
        world.gather("kind")
    assert "disk" in error.value.message + error.value.hint
    assert "LOADPROOF_CACHE" in error.value.hint


def test_clean_removes_what_no_pin_asks_for_and_nothing_else(world: World) -> None:
    world.recipes = {"kind": Recipe(build=two_files)}
    world.pins = tool_row("kind", version="1.0.0")
    world.gather("kind")
    old = world.part_folder("kind")
    world.pins = tool_row("kind", version="2.0.0")
    world.gather("kind")
    wanted, stale = world.cache.python / "wanted", world.cache.python / "stale"
    for packages in (wanted, stale):
        packages.mkdir(parents=True)
    interrupted = world.cache.root / f"{REMOVING}1"
    interrupted.mkdir()

    def unused() -> tuple[Path, ...]:
        return housekeeping.unused(world.catalogue, world.cache, (wanted,))

    dry = list(housekeeping.clean(world.cache, unused, dry_run=True, say=print))
    assert old.exists(), "a dry run removes"
    assert str(old) in dry[0]
    list(housekeeping.clean(world.cache, unused, dry_run=False, say=print))
    assert not old.exists()
    assert not interrupted.exists(), "what an interrupted removal left stays for ever"
    assert (wanted.exists(), stale.exists()) == (True, False)
    assert world.part_folder("kind").exists()


def test_what_can_go_is_decided_under_the_lock(world: World) -> None:
    world.cache.root.mkdir(parents=True)

    def find() -> tuple[Path, ...]:
        with world.cache.lock.open() as handle, pytest.raises(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return ()

    assert 1 == len(list(housekeeping.clean(world.cache, find, dry_run=False, say=print)))


def test_a_removal_is_not_in_the_way_of_what_an_interrupted_one_left(tmp_path: Path) -> None:
    for left in (f".work.removing-{os.getpid()}", f"{REMOVING}1"):
        (tmp_path / left / "inside").mkdir(parents=True)
    (tmp_path / "work" / "read-only").mkdir(parents=True)
    (tmp_path / "work" / "read-only").chmod(0o500)
    remove(tmp_path / "work")
    assert {f".work.removing-{os.getpid()}", f"{REMOVING}1"} == {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize("name", ["root", "with blank", "grün"])
def test_a_folder_with_a_mount_below_it_is_not_removed(tmp_path: Path, name: str) -> None:
    machine, folder = tmp_path / "machine", tmp_path / "work" / name
    for made in (machine, folder):
        made.mkdir(parents=True)
    (machine / "kept").touch()
    mounted = subprocess.run(("mount", "--bind", machine, folder), capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("this user may not mount a folder")
    try:
        with pytest.raises(ToolchainError, match=f"mounted at {folder}"):
            remove(tmp_path / "work")
        assert (machine / "kept").exists(), "it was walked into"
        assert folder.is_dir(), "it was moved away from where its hint says it is"
    finally:
        subprocess.run(("umount", str(folder)), check=True)
    remove(tmp_path / "work")
    assert [machine] == list(tmp_path.iterdir())
