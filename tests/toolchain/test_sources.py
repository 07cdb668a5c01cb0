"""Each way to a part, forced and in turn, and what happens where it does not lead to it."""

from __future__ import annotations

import errno
import http.client
import io
import ssl
import stat
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.toolchain.hosts import dribbling_host, file_host, silent_host
from tests.toolchain.world import World, install_tool, sha256, tool_row
from toolchain.errors import NotObtainableError, ToolchainError, WrongChecksumError
from toolchain.gather import Chore
from toolchain.sources import Way, download
from toolchain.sources.build import BuildContext, Recipe
from toolchain.sources.found import search_path
from toolchain.sources.hosts import _PATIENCE_S, Hosts

CONTENT = b"#!/bin/sh\necho the real thing\n" * 1000


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "_PAUSE_S", 0.0)


def build_tool(context: BuildContext) -> None:
    (context.out / "bin").mkdir()
    context.run("cp", "/bin/true", str(context.out / "bin" / context.part.name))


def failing(context: BuildContext) -> None:
    context.run("sh", "-c", "echo it goes wrong >&2; exit 3")


def test_a_tool_on_the_path_in_the_right_version_is_taken_as_it_is(world: World) -> None:
    place = install_tool(world.folder / "machine", "kind", "1.2.3")
    world.pins, world.path = tool_row("kind", found=True), str(place.parent)
    world.gather("kind", forced=Way.FOUND)
    assert (world.part_folder("kind") / "bin" / "kind").resolve() == place
    record = world.record("kind")
    assert record is not None
    assert (record.way, record.origin) == ("found", str(place))


def test_a_tool_of_another_version_is_not_taken_and_the_error_says_which_it_is(world: World) -> None:
    place = install_tool(world.folder / "machine", "kind", "1.2.30")
    world.pins, world.path = tool_row("kind", found=True), str(place.parent)
    with pytest.raises(ToolchainError, match=r"kind 1\.2\.3 cannot be got") as error:
        world.gather("kind", forced=Way.FOUND)
    assert "is version 1.2.30, wanted is 1.2.3" in error.value.message
    assert "install kind 1.2.3" in error.value.hint


def test_a_tool_that_was_found_and_then_upgraded_is_looked_for_again(world: World) -> None:
    place = install_tool(world.folder / "machine", "kind", "1.2.3")
    world.pins, world.path = tool_row("kind", found=True), str(place.parent)
    world.gather("kind", forced=Way.FOUND)
    install_tool(place.parent, "kind", "1.2.4-upgraded")
    with pytest.raises(ToolchainError, match="cannot be got"):
        world.gather("kind", forced=Way.FOUND)


def test_a_newer_builder_is_good_enough_where_the_pin_says_at_least(world: World) -> None:
    place = install_tool(world.folder / "machine", "go", "1.27.1")
    world.path = str(place.parent)
    row = '[go]\nversion = "1.26.6"\nkind = "tool"\nfound = { version = ["go", "version"], at_least = '
    world.pins = row + "true }\n"
    world.gather("go")
    other = World(folder=world.folder / "other", pins=row + "false }\n", path=world.path)
    other.folder.mkdir()
    with pytest.raises(ToolchainError, match=r"is version 1\.27\.1"):
        other.gather("go")


def test_what_set_up_made_itself_is_not_a_find(tmp_path: Path) -> None:
    own, machine = tmp_path / "project" / ".venv", tmp_path / "machine"
    install_tool(own / "bin", "kind", "1.2.3")
    install_tool(machine, "kind", "1.2.3")
    environment = {"PATH": f"{own}/bin:{machine}"}
    assert search_path(environment, (own,)) == str(machine)


def test_a_plugin_in_the_engines_home_is_found_but_not_one_that_set_up_placed_there(world: World) -> None:
    home = world.folder / "pulumi"
    folder = home / "plugins" / "resource-command-v1.2.1"
    folder.mkdir(parents=True)
    (folder / "pulumi-resource-command").write_text("x")
    world.pins = '[pulumi-resource-command]\nversion = "1.2.1"\nkind = "plugin"\n'
    world.environment = {"PULUMI_HOME": str(home)}
    world.gather("pulumi-resource-command", forced=Way.FOUND)
    partial = folder.with_name(f"{folder.name}.partial")
    partial.touch()
    half = World(folder=world.folder / "half", pins=world.pins, environment=world.environment)
    half.folder.mkdir()
    with pytest.raises(ToolchainError, match="is half installed"):
        half.gather("pulumi-resource-command", forced=Way.FOUND)
    partial.unlink()
    (folder / ".loadproof").touch()
    other = World(folder=world.folder / "b", pins=world.pins, environment=world.environment)
    other.folder.mkdir()
    with pytest.raises(ToolchainError, match="cannot be got"):
        other.gather("pulumi-resource-command", forced=Way.FOUND)


def test_a_download_with_the_right_sum_is_unpacked_and_executable(world: World) -> None:
    with file_host(files={"kind": CONTENT}) as host:
        world.pins = tool_row("kind", url=host.url("kind"), content=CONTENT)
        world.gather("kind", forced=Way.DOWNLOAD)
    tool = world.part_folder("kind") / "bin" / "kind"
    assert tool.read_bytes() == CONTENT
    assert tool.stat().st_mode & 0o111


def test_a_download_with_a_wrong_sum_is_an_error_that_is_not_passed_over_for_a_build(world: World) -> None:
    with file_host(files={"kind": CONTENT + b"planted"}) as host:
        world.pins = tool_row("kind", url=host.url("kind"), content=CONTENT)
        world.recipes = {"kind": Recipe(build=build_tool)}
        with pytest.raises(WrongChecksumError, match=r"kind: what .* sent has the SHA-256") as error:
            world.gather("kind")
    assert sha256(CONTENT) in error.value.message
    assert "--from build" in error.value.hint
    assert world.record("kind") is None
    assert not list(world.cache.downloads.iterdir()), "a file with a wrong sum is kept"


def test_a_download_that_was_cut_goes_on_where_it_stopped(world: World) -> None:
    with file_host(files={"kind": CONTENT}, cut_after_bytes=len(CONTENT) // 2 + 1) as host:
        world.pins = tool_row("kind", url=host.url("kind"), content=CONTENT)
        world.gather("kind", forced=Way.DOWNLOAD)
        assert host.asked == ["kind", f"kind bytes={len(CONTENT) // 2 + 1}-"]
    assert (world.part_folder("kind") / "bin" / "kind").read_bytes() == CONTENT


def test_a_cut_download_of_a_host_without_ranges_starts_again_and_stays_right(world: World) -> None:
    with file_host(files={"kind": CONTENT}, cut_after_bytes=100, ranges=False) as host:
        world.pins = tool_row("kind", url=host.url("kind"), content=CONTENT)
        with pytest.raises(ToolchainError, match="cut the download off 3 times"):
            world.gather("kind", forced=Way.DOWNLOAD)
        host.cut_after_bytes = None
        world.gather("kind", forced=Way.DOWNLOAD)
    assert (world.part_folder("kind") / "bin" / "kind").read_bytes() == CONTENT


def test_a_download_cut_for_good_names_the_part_and_the_next_run_goes_on_from_there(world: World) -> None:
    with file_host(files={"kind": CONTENT}, cut_after_bytes=0) as host:
        world.pins = tool_row("kind", url=host.url("kind"), content=CONTENT)
        world.cache.downloads.mkdir(parents=True)
        (world.cache.downloads / sha256(CONTENT)).write_bytes(CONTENT[:30])
        with pytest.raises(
            ToolchainError, match=r"kind 1\.2\.3 (?s:.*) cut the download off 3 times \(at 30 bytes\)"
        ):
            world.gather("kind", forced=Way.DOWNLOAD)
        host.cut_after_bytes = None
        host.asked.clear()
        world.gather("kind", forced=Way.DOWNLOAD)
        assert host.asked == ["kind bytes=30-"]


def test_a_download_that_is_cut_often_goes_on_as_long_as_every_attempt_adds_something(world: World) -> None:
    with file_host(files={"kind": CONTENT}, cut_after_bytes=len(CONTENT) // 10) as host:
        world.pins = tool_row("kind", url=host.url("kind"), content=CONTENT)
        world.gather("kind", forced=Way.DOWNLOAD)
        assert len(host.asked) == 10
    assert (world.part_folder("kind") / "bin" / "kind").read_bytes() == CONTENT


def test_a_host_that_is_overloaded_for_a_moment_is_asked_again(world: World) -> None:
    with file_host(files={"kind": CONTENT}, refusals=[429, 503]) as host:
        world.pins = tool_row("kind", url=host.url("kind"), content=CONTENT)
        world.gather("kind", forced=Way.DOWNLOAD)
        host.refusals = [502, 502, 502]
        other = World(folder=world.folder / "other", pins=world.pins)
        other.folder.mkdir()
        with pytest.raises(ToolchainError, match="answered 502 3 times"):
            other.gather("kind", forced=Way.DOWNLOAD)


@pytest.mark.parametrize("checksums", [False, True])
def test_a_body_that_never_comes_closes_the_download_and_is_no_fault_of_the_disk(
    world: World, monkeypatch: pytest.MonkeyPatch, checksums: bool
) -> None:
    monkeypatch.setattr(download, "_HEADERS_TIMEOUT_S", 0.2)
    with file_host(files={"kind": CONTENT, "sums": CONTENT}, silent_after_headers=True) as host:
        world.pins = tool_row("kind", url=host.url("kind"), content=CONTENT)
        if checksums:
            world.pins = world.pins.replace(
                f'sha256 = "{sha256(CONTENT)}"', f'checksums = "{host.url("sums")}"'
            )
        with pytest.raises(ToolchainError, match=r"download: .*cut the download off \(timed out\) 3 times"):
            world.gather("kind", forced=Way.DOWNLOAD)


def test_an_answer_that_is_no_http_closes_the_download(world: World) -> None:
    with file_host(files={"kind": CONTENT}, garbled=True) as host:
        world.pins = tool_row("kind", url=host.url("kind"), content=CONTENT)
        with pytest.raises(ToolchainError, match=r"download: .*does not answer \(garbage\)"):
            world.gather("kind", forced=Way.DOWNLOAD)


def test_a_break_of_the_encryption_in_the_middle_is_a_cut_like_any_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaks = [ssl.SSLError(1, "decryption failed")]
    read1 = http.client.HTTPResponse.read1

    def broken_once(response: http.client.HTTPResponse, size: int = -1) -> bytes:
        if breaks:
            raise breaks.pop()
        return read1(response, size)

    monkeypatch.setattr(http.client.HTTPResponse, "read1", broken_once)
    with file_host(files={"kind": CONTENT}) as host:
        world.pins = tool_row("kind", url=host.url("kind"), content=CONTENT)
        world.gather("kind", forced=Way.DOWNLOAD)
        assert len(host.asked) == 2


def test_a_full_disk_in_the_middle_of_a_download_stays_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(got: int, expected: int | None) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(download, "_amount", full)
    with file_host(files={"kind": CONTENT}) as host:
        world.pins = tool_row("kind", url=host.url("kind"), content=CONTENT)
        with pytest.raises(ToolchainError, match="kind: no disk space left"):
            world.gather("kind")


def test_why_a_host_does_not_answer_is_told(world: World) -> None:
    with file_host() as host:  # speaks no TLS
        address = host.url("kind").replace("http:", "https:")
        world.pins = tool_row("kind", url=address, content=CONTENT)
        with pytest.raises(ToolchainError, match=r"does not answer \(.*SSL.*\)"):
            world.gather("kind", forced=Way.DOWNLOAD)


def test_a_download_that_was_whole_when_the_last_run_ended_is_not_asked_for_again(world: World) -> None:
    with file_host(files={"kind": CONTENT}) as host:
        world.pins = tool_row("kind", url=host.url("kind"), content=CONTENT)
        world.cache.downloads.mkdir(parents=True)
        (world.cache.downloads / sha256(CONTENT)).write_bytes(CONTENT)
        world.gather("kind", forced=Way.DOWNLOAD)
        assert host.asked == []


def test_a_missing_file_closes_the_download_and_the_part_is_built(world: World) -> None:
    with file_host() as host:
        world.pins = tool_row("kind", url=host.url("kind"), content=CONTENT)
        world.recipes = {"kind": Recipe(build=build_tool)}
        world.gather("kind")
    record = world.record("kind")
    assert record is not None
    assert record.way == "build"
    assert "answers 404" in world.said, "that the download failed is not said"


def test_hosts_that_do_not_answer_are_waited_for_together_and_then_parts_are_built(
    world: World,
) -> None:
    with silent_host() as first, silent_host() as second, file_host(files={"good": CONTENT}) as good:
        rows = [tool_row(f"tool-{n}", url=f"http://127.0.0.1:{first}/{n}", content=CONTENT) for n in range(4)]
        rows += [
            tool_row(f"more-{n}", url=f"http://127.0.0.1:{second}/{n}", content=CONTENT) for n in range(4)
        ]
        rows += [tool_row("good", url=good.url("good"), content=CONTENT)]
        world.pins = "".join(rows)
        silent = [f"{kind}-{n}" for kind in ("tool", "more") for n in range(4)]
        world.recipes = {name: Recipe(build=build_tool) for name in silent}
        started_s = time.monotonic()
        world.gather(*silent, "good")
        assert time.monotonic() - started_s < 2 * _PATIENCE_S
    assert _PATIENCE_S < 5
    assert {world.record(name).way for name in silent} == {"build"}  # type: ignore[union-attr]
    assert world.record("good").way == "download"  # type: ignore[union-attr]


def test_hosts_that_dribble_cost_no_more_than_the_patience_for_all() -> None:
    with dribbling_host() as first, dribbling_host() as second, dribbling_host() as third:
        addresses = [f"http://127.0.0.1:{port}/x" for port in (first, second, third)]
        hosts = Hosts(addresses, patience_s=0.5)
        started_s = time.monotonic()
        assert [hosts.answers(address) for address in addresses] == [False, False, False]
        assert time.monotonic() - started_s < 3 * 0.5


def test_a_host_that_falls_silent_after_its_first_answer_is_waited_for_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "_HEADERS_TIMEOUT_S", 0.5)
    names = [f"tool-{n}" for n in range(12)]
    with file_host(silent_for_get=True) as host:
        world.pins = "".join(tool_row(name, url=host.url(name), content=CONTENT) for name in names)
        world.recipes = {name: Recipe(build=build_tool) for name in names}
        world.gather(*names)
    assert len(host.asked) <= 4, "the host was asked again after it fell silent, by more than were at it"


def test_a_failure_ends_a_download_that_still_runs(world: World) -> None:
    with file_host(files={"slow": b"x" * 200}, body_pause_s=0.05) as host:
        world.pins = tool_row("slow", url=host.url("slow"), content=b"x" * 200) + tool_row("kind")
        world.recipes = {"kind": Recipe(build=failing)}
        started_s = time.monotonic()
        with pytest.raises(ToolchainError, match="kind"):
            world.gather("slow", "kind")
        assert time.monotonic() - started_s < 5.0


def test_forcing_downloads_where_no_host_answers_is_an_error_with_a_remedy(world: World) -> None:
    with silent_host() as port:
        world.pins = tool_row("kind", url=f"http://127.0.0.1:{port}/kind", content=CONTENT)
        world.recipes = {"kind": Recipe(build=build_tool)}
        with pytest.raises(ToolchainError, match="does not answer") as error:
            world.gather("kind", forced=Way.DOWNLOAD)
    assert "HTTPS_PROXY" in error.value.hint


def test_a_sum_can_come_from_the_publishers_own_list(world: World) -> None:
    listed = f"{'0' * 64}  other\n{sha256(CONTENT)}  kind-linux-amd64\n".encode()
    with file_host(files={"kind-linux-amd64": CONTENT, "sums": listed}) as host:
        world.pins = (
            '[kind]\nversion = "1.2.3"\nkind = "tool"\nunpack = { file = "kind" }\n'
            f'download = {{ url = "{host.url("kind-{platform}")}", checksums = "{host.url("sums")}" }}\n'
        )
        world.gather("kind", forced=Way.DOWNLOAD)
        host.files["kind-linux-amd64"] = CONTENT + b"planted"
        other = World(folder=world.folder / "other", pins=world.pins)
        other.folder.mkdir()
        with pytest.raises(WrongChecksumError):
            other.gather("kind", forced=Way.DOWNLOAD)


MEMBERS = {"top/pulumi": 0o755, "top/notes.txt": 0o644, f"top/{'../' * 5}escaped": 0o644}


def tar_archive() -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for name, mode in MEMBERS.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = 3, mode
            tar.addfile(member, io.BytesIO(b"abc"))
        link = tarfile.TarInfo("top/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    return archive.getvalue()


def zip_archive() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, mode="w") as zipped:
        for name, mode in {**MEMBERS, "top/link": stat.S_IFLNK | 0o777}.items():
            member = zipfile.ZipInfo(name)
            member.external_attr = mode << 16
            zipped.writestr(member, b"abc")
    return archive.getvalue()


@pytest.mark.parametrize("make", [tar_archive, zip_archive])
def test_an_archive_is_unpacked_without_its_top_folder_and_never_outside_the_parts_own(
    world: World, make: Callable[[], bytes]
) -> None:
    content = make()
    with file_host(files={"pulumi": content}) as host:
        world.pins = (
            '[pulumi]\nversion = "1.2.3"\nkind = "tool"\nunpack = { strip = 1 }\n'
            f'download = {{ url = "{host.url("pulumi")}", sha256 = "{sha256(content)}" }}\n'
        )
        world.gather("pulumi", forced=Way.DOWNLOAD)
    folder = world.part_folder("pulumi")
    assert sorted(file.name for file in (folder / "bin").iterdir()) == ["notes.txt", "pulumi"]
    assert (folder / "bin" / "pulumi").stat().st_mode & 0o111
    assert not list(world.folder.rglob("escaped"))


def test_a_part_is_built_after_what_it_needs_and_sees_its_folder(world: World) -> None:
    def bake(context: BuildContext) -> None:
        (context.out / "eaten").write_bytes((context.dependency("flour") / "bin" / "flour").read_bytes())

    world.pins = tool_row("bread") + tool_row("flour")
    world.recipes = {"bread": Recipe(needs=("flour",), build=bake), "flour": Recipe(build=build_tool)}
    world.gather("bread", forced=Way.BUILD)
    assert (world.part_folder("bread") / "eaten").read_bytes() == Path("/bin/true").read_bytes()


def test_a_build_that_fails_shows_its_last_lines_and_where_the_whole_log_is(world: World) -> None:
    world.pins = tool_row("kind")
    world.recipes = {"kind": Recipe(build=failing)}
    with pytest.raises(ToolchainError, match=r"kind: .* ended with 3") as error:
        world.gather("kind")
    assert "it goes wrong" in error.value.message
    assert str(world.cache.logs / "kind.log") in error.value.hint
    assert "it goes wrong" in (world.cache.logs / "kind.log").read_text()


@pytest.mark.parametrize(
    ("output", "remedy"),
    [
        ("write /tmp/x: no space left on device", "disk space"),
        ("dial tcp: lookup mirror.example: no such host", "package registry cannot be reached"),
    ],
)
def test_a_build_that_fails_for_a_known_reason_says_what_to_do_about_it(
    world: World, output: str, remedy: str
) -> None:
    world.pins = tool_row("kind")

    def build(context: BuildContext) -> None:
        context.run("sh", "-c", f"echo '{output}' >&2; exit 1")

    world.recipes = {"kind": Recipe(build=build)}
    with pytest.raises(ToolchainError, match="kind") as error:
        world.gather("kind")
    assert remedy in error.value.hint


def test_nothing_is_built_on_a_platform_that_recipes_were_not_written_for(world: World) -> None:
    world.pins = tool_row("kind")
    world.recipes = {"kind": Recipe(build=build_tool)}
    with pytest.raises(ToolchainError, match="cannot be got on darwin-arm64") as error:
        world.gather("kind", platform="darwin-arm64")
    assert "built on Linux only" in error.value.message
    assert "install kind 1.2.3 yourself" in error.value.hint


def test_what_this_machine_cannot_build_is_an_error_before_what_it_needs_is_built(world: World) -> None:
    world.pins = tool_row("bread") + tool_row("flour")
    world.recipes = {
        "bread": Recipe(needs=("flour",), build=build_tool, impossible=lambda: "there is no oven"),
        "flour": Recipe(build=build_tool),
    }
    with pytest.raises(ToolchainError, match=r"bread (?s:.*)build: there is no oven"):
        world.gather("bread")
    assert world.record("flour") is None


def test_a_chore_that_fails_ends_the_set_up_without_waiting_for_the_parts(world: World) -> None:
    def fail(report: Callable[[str], None]) -> None:
        raise ToolchainError("no such package", hint="mend it")

    def slow(context: BuildContext) -> None:
        context.run("sleep", "30")

    world.pins, world.recipes = tool_row("slow"), {"slow": Recipe(build=slow)}
    started_s = time.monotonic()
    with pytest.raises(ToolchainError, match="no such package"):
        world.gather("slow", chores={"packages": Chore(how="installing", outcome="installed", run=fail)})
    assert time.monotonic() - started_s < 10.0


def test_a_chore_that_takes_longer_than_the_parts_is_waited_for(world: World) -> None:
    done: list[str] = []

    def late(report: Callable[[str], None]) -> None:
        time.sleep(0.3)
        done.append("late")

    world.pins, world.recipes = tool_row("kind"), {"kind": Recipe(build=build_tool)}
    world.gather("kind", chores={"packages": Chore(how="installing", outcome="installed", run=late)})
    assert done == ["late"]


def test_a_part_with_no_way_at_all_is_an_error_that_names_it(world: World) -> None:
    world.pins = tool_row("kind")
    with pytest.raises(ToolchainError, match=r"kind 1\.2\.3 cannot be got on linux-amd64"):
        world.gather("kind")


def test_forcing_a_way_replaces_what_another_way_brought(world: World) -> None:
    with file_host(files={"kind": CONTENT}) as host:
        world.pins = tool_row("kind", url=host.url("kind"), content=CONTENT)
        world.recipes = {"kind": Recipe(build=build_tool)}
        world.gather("kind")
        assert world.record("kind").way == "download"  # type: ignore[union-attr]
        world.gather("kind", forced=Way.BUILD)
    assert world.record("kind").way == "build"  # type: ignore[union-attr]
    assert (world.part_folder("kind") / "bin" / "kind").read_bytes() == Path("/bin/true").read_bytes()


def test_a_recipe_that_does_not_lead_to_the_part_closes_only_that_way(world: World) -> None:
    def unable(context: BuildContext) -> None:
        raise NotObtainableError("the moon is in the wrong phase", hint="wait")

    world.pins = tool_row("kind")
    world.recipes = {"kind": Recipe(build=unable)}
    with pytest.raises(ToolchainError, match="build: the moon is in the wrong phase"):
        world.gather("kind")
