"""The project's own pins, and what is refused in a file of pins."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from toolchain.catalogue import Catalogue
from toolchain.errors import ToolchainError, WrongUseError
from toolchain.pins import PLATFORMS, Kind, Purpose, load_pins, this_platform
from toolchain.plan import Situation, ways_to
from toolchain.recipes import RECIPES
from toolchain.sources import Way

PARTS = load_pins()


def test_every_download_is_over_tls_and_has_a_sum_or_the_publishers_list() -> None:
    for part in PARTS.values():
        for pinned in part.downloads.values():
            assert pinned.url.startswith("https://"), part.name
            assert "{" not in pinned.url, part.name
            assert pinned.sha256 or (pinned.checksums or "").startswith("https://"), part.name


def test_the_rows_stand_in_the_order_of_their_names() -> None:
    assert list(PARTS) == sorted(PARTS)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_whatever_a_preview_needs_can_be_downloaded_on_every_platform(platform: str) -> None:
    catalogue = Catalogue.of(PARTS, RECIPES)
    for name in catalogue.wanted_for(Purpose.PREVIEW):
        assert Way.DOWNLOAD in ways_to(catalogue, PARTS[name], Situation(there=(), platform=platform)), name


def test_everything_can_be_built_from_registry_sources_on_linux_or_done_without() -> None:
    catalogue = Catalogue.of(PARTS, RECIPES)
    for name in {name for name, part in PARTS.items() if not part.optional}:
        assert Way.BUILD in ways_to(catalogue, PARTS[name], Situation(there=(), platform="linux-amd64")), name


def test_a_preview_needs_no_image() -> None:
    wanted = [part for part in PARTS.values() if Purpose.PREVIEW in part.purposes]
    assert wanted
    assert all(part.kind is not Kind.IMAGE for part in wanted)


def test_what_a_run_needs_the_tests_need_too() -> None:
    for name, part in PARTS.items():
        assert Purpose.RUN not in part.purposes or Purpose.TEST in part.purposes or part.optional, name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[kind\n", "cannot be read"),
        ('[kind]\nkind = "tool"\n', "part kind: KeyError.'version'"),
        ('[kind]\nversion = "1"\nkind = "toll"\n', "part kind: .*'toll' is not a valid Kind"),
        ('[kind]\nversion = "1"\nkind = "tool"\nfor = ["fun"]\n', "'fun' is not a valid Purpose"),
        (
            '[kind]\nversion = "1"\nkind = "tool"\ndownload = { url = "u", sha256 = "abc" }\n',
            "'abc' is no SHA-256",
        ),
    ],
)
def test_a_row_that_makes_no_sense_is_named(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "pins.toml"
    file.write_text(text)
    with pytest.raises(WrongUseError, match=message):
        load_pins(file)


def test_a_machine_that_nothing_is_pinned_for_is_told_what_to_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Windows")
    with pytest.raises(ToolchainError, match="no tool is pinned for Windows") as error:
        this_platform()
    assert "WSL" in error.value.hint
