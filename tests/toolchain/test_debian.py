from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from toolchain.debian import Apt, Source, debian_source
from toolchain.errors import ToolchainError

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"

DEB822 = """\
# a comment
Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
 contrib
Signed-By: /usr/share/keyrings/own.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/own.gpg
"""


def write(apt: Path, **files: str) -> Path:
    (apt / "sources.list.d").mkdir(parents=True)
    for name, text in files.items():
        file = "sources.list" if name == "list" else f"sources.list.d/{name.replace('_', '.')}"
        (apt / file).write_text(text)
    return apt


def test_the_mirror_and_key_of_the_machine_are_taken_from_a_deb822_file(tmp_path: Path) -> None:
    source = debian_source(write(tmp_path, debian_sources=DEB822), "bookworm")
    assert "http://mirror.example/debian" == source.uri
    assert ("main", "contrib") == source.components
    assert "/usr/share/keyrings/own.gpg" == source.keyring


def test_the_mirror_and_key_of_the_machine_are_taken_from_a_one_line_file(tmp_path: Path) -> None:
    line = "deb [arch=amd64 signed-by=/keys/a.gpg] https://mirror.example/debian bookworm main contrib\n"
    source = debian_source(write(tmp_path, list="# deb http://old/debian bookworm main\n" + line), "bookworm")
    assert ("https://mirror.example/debian", "/keys/a.gpg") == (source.uri, source.keyring)


@pytest.mark.parametrize(
    "signed_by",
    ["", "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc=\n"],
    ids=["none", "inline"],
)
def test_where_no_key_file_is_named_debians_own_serves(tmp_path: Path, signed_by: str) -> None:
    text = f"Types: deb\nURIs: http://m/debian\nSuites: bookworm\nComponents: main\n{signed_by}"
    assert KEYRING == debian_source(write(tmp_path, debian_sources=text), "bookworm").keyring


def test_archives_of_others_are_not_taken_for_debians(tmp_path: Path) -> None:
    others = (
        "deb https://apt.vendor.example bookworm main\n"
        "deb https://packages.vendor.example/apt vendor-bookworm main\n"
        "deb-src http://mirror.example/debian bookworm main\n"
    )
    source = debian_source(write(tmp_path, a_list=others, debian_sources=DEB822), "bookworm")
    assert "http://mirror.example/debian" == source.uri


def test_a_mirror_under_another_name_is_taken_where_there_is_no_better(tmp_path: Path) -> None:
    source = debian_source(write(tmp_path, list="deb http://cache/deb-remote bookworm main"), "bookworm")
    assert "http://cache/deb-remote" == source.uri


@pytest.mark.parametrize(
    "text",
    [
        "",
        "deb http://m/debian trixie main\n",
        "deb\n",
        "deb [arch=amd64 http://m/debian bookworm main\n",
        DEB822.replace("Types: deb", "Enabled: no\nTypes: deb"),
    ],
    ids=["nothing", "another release", "half a line", "an open bracket", "switched off"],
)
def test_a_machine_without_a_debian_archive_is_told_what_is_needed(tmp_path: Path, text: str) -> None:
    name = "debian_sources" if "Types" in text else "list"
    with pytest.raises(ToolchainError, match="name no Debian archive with bookworm") as caught:
        debian_source(write(tmp_path, **{name: text}), "bookworm")
    assert "Debian machine" in caught.value.hint


class Recorder:
    """Notes commands; `apt-get download` leaves an archive, dpkg-deb says what is in it."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, ...]] = []

    def __call__(self, *args: str, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
        self.calls.append(args)
        if "download" in args:
            assert cwd is not None
            (cwd / "thing_1%3a2.deb").touch()
        return "thing:amd64\t1:2-3\n" if "--show" in args else ""


@pytest.fixture
def source() -> Source:
    return Source(uri="http://m/debian", suites=("bookworm",), components=("main",), keyring="/keys/a.gpg")


def test_package_lists_are_fetched_beside_the_machines_own(tmp_path: Path, source: Source) -> None:
    run = Recorder()
    Apt(folder=tmp_path, suites=("bookworm", "trixie"), source=source, run=run).update()
    assert (
        "deb [signed-by=/keys/a.gpg] http://m/debian bookworm main\n"
        "deb [signed-by=/keys/a.gpg] http://m/debian trixie main\n"
    ) == (tmp_path / "sources.list").read_text()
    (call,) = run.calls
    for setting in (
        f"Dir::Etc::sourcelist={tmp_path}/sources.list",
        "Dir::Etc::sourceparts=-",
        "Dir::Etc::preferencesparts=-",
        f"Dir::State::lists={tmp_path}/lists",
        f"Dir::Cache={tmp_path}/cache",
    ):
        assert setting in call, f"apt would use the machine's own without {setting}"


def test_unpacking_touches_only_the_folder_it_is_given_and_tells_versions(
    tmp_path: Path, source: Source
) -> None:
    run = Recorder()
    apt = Apt(folder=tmp_path, suites=("bookworm",), source=source, run=run)
    assert {"thing": "1:2-3"} == apt.unpack(["thing"], tmp_path / "root")
    assert (
        "dpkg-deb",
        "--extract",
        str(tmp_path / "unpacked/thing_1%3a2.deb"),
        str(tmp_path / "root"),
    ) in run.calls
    assert not any("install" in call for call in run.calls)
