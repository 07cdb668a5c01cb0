"""The plan as a pure function: what is next, by which way, and after what."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.toolchain.world import World, tool_row
from toolchain import recipes
from toolchain.catalogue import Catalogue
from toolchain.errors import ToolchainError, WrongUseError
from toolchain.gather import ready
from toolchain.pins import load_pins
from toolchain.plan import Situation, plan
from toolchain.recipes import RECIPES, go_parts, kubernetes_schema, workload_images
from toolchain.sources import Way, build
from toolchain.sources.build import BuildContext, Recipe


def nothing(context: BuildContext) -> None:
    raise AssertionError("a plan runs nothing")


def recipe(*needs: str, inputs: tuple[Path, ...] = ()) -> Recipe:
    return Recipe(needs=needs, inputs=inputs, build=nothing)


def steps(world: World, *goals: str, **situation: object) -> list[tuple[str, Way]]:
    planned = plan(world.catalogue, goals, Situation(platform="linux-amd64", **{"there": (), **situation}))  # type: ignore[arg-type]
    return [(step.part.name, step.way) for step in planned]


def test_ways_are_tried_in_the_order_found_downloaded_built(world: World) -> None:
    world.pins = tool_row("kind", found=True, url="http://127.0.0.1/kind")
    world.recipes = {"kind": recipe()}
    closed: dict[Way, str] = {}
    order = []
    for _ in Way:
        ((_, way),) = steps(world, "kind", closed={"kind": closed})
        order.append(way)
        closed[way] = "no"
    assert order == [Way.FOUND, Way.DOWNLOAD, Way.BUILD]
    with pytest.raises(ToolchainError, match=r"found: no\n.*download: no\n.*build: no"):
        steps(world, "kind", closed={"kind": closed})


def test_needs_of_a_build_are_planned_only_where_it_is_built(world: World) -> None:
    world.pins = tool_row("kind", url="http://127.0.0.1/kind") + tool_row("go")
    world.recipes = {"kind": recipe("go"), "go": recipe()}
    assert steps(world, "kind") == [("kind", Way.DOWNLOAD)]
    closed: Mapping[str, Mapping[Way, str]] = {"kind": {Way.DOWNLOAD: "no"}}
    assert steps(world, "kind", closed=closed) == [("go", Way.BUILD), ("kind", Way.BUILD)]


def test_what_is_there_is_not_planned_and_its_needs_are_not_asked_for(world: World) -> None:
    world.pins = tool_row("image") + tool_row("binary")
    world.recipes = {"image": recipe("binary"), "binary": recipe()}
    assert steps(world, "image", there=("image",)) == []


def test_a_builder_is_taken_from_anywhere_whatever_way_is_forced(world: World) -> None:
    world.pins = tool_row("kind") + tool_row("go", found=True) + "builder = true\n"
    world.recipes = {"kind": recipe("go"), "go": recipe()}
    assert steps(world, "kind", forced=Way.BUILD) == [("go", Way.FOUND), ("kind", Way.BUILD)]


def test_an_assembled_part_is_made_here_and_a_forced_way_applies_to_what_it_is_made_of(world: World) -> None:
    world.pins = tool_row("node") + "assembled = true\n" + tool_row("base", url="http://127.0.0.1/base")
    world.recipes = {"node": recipe("base"), "base": recipe()}
    assert steps(world, "node", forced=Way.DOWNLOAD) == [("base", Way.DOWNLOAD), ("node", Way.BUILD)]


def test_two_builds_run_at_once_and_downloads_beside_them(world: World) -> None:
    world.pins = "".join(tool_row(name) for name in ("a", "b", "c")) + tool_row("d", url="http://127.0.0.1/d")
    world.recipes = {name: recipe() for name in ("a", "b", "c")}
    planned = plan(world.catalogue, ("a", "b", "c", "d"), Situation(there=(), platform="linux-amd64"))
    first = ready(planned, ())
    assert [step.part.name for step in first] == ["a", "b", "d"]
    assert [step.part.name for step in ready(planned, first[1:])] == ["a"]


def test_a_step_waits_for_what_it_needs(world: World) -> None:
    world.pins = tool_row("image") + tool_row("binary")
    world.recipes = {"image": recipe("binary"), "binary": recipe()}
    planned = plan(world.catalogue, ("image",), Situation(there=(), platform="linux-amd64"))
    assert [step.part.name for step in ready(planned, ())] == ["binary"]


def test_a_key_changes_with_every_input_and_with_those_of_what_is_needed(world: World) -> None:
    source = world.folder / "module"
    source.mkdir()
    (source / "main.go").write_text("one")
    rows = tool_row("image") + tool_row("binary")

    def keys(pins: str) -> Mapping[str, str]:
        world.pins = pins
        world.recipes = {"image": recipe("binary"), "binary": recipe(inputs=(source,))}
        return world.catalogue.keys

    first = keys(rows)
    assert keys(rows) == first, "the key is not stable"
    assert keys(rows.replace('file = "image"', 'file = "other"'))["image"] != first["image"]
    (source / "main.go").write_text("two")
    changed = keys(rows)
    assert changed["binary"] != first["binary"]
    assert changed["image"] != first["image"], "a changed need leaves the key of what is made of it"


def test_a_row_of_a_table_that_parts_share_changes_the_key_of_its_part_alone(world: World) -> None:
    world.pins = tool_row("one") + tool_row("two")

    def keys(**rows: str) -> Mapping[str, str]:
        world.recipes = {name: replace(recipe(), row=row) for name, row in rows.items()}
        return world.catalogue.keys

    first, changed = keys(one="a", two="a"), keys(one="a", two="b")
    assert changed["one"] == first["one"]
    assert changed["two"] != first["two"]


def test_another_row_in_the_tables_of_the_project_makes_no_part_anew() -> None:
    tables = {Path(module.__file__ or "") for module in (go_parts, recipes, workload_images)}
    for name, one in RECIPES.items():
        assert not tables & {*one.inputs}, f"{name} is made anew with every new part"


def test_a_go_parts_own_row_decides_its_key() -> None:
    changed = {**RECIPES, "kind": replace(RECIPES["kind"], row=RECIPES["kind"].row + " and more")}
    before, after = Catalogue.of(load_pins(), RECIPES).keys, Catalogue.of(load_pins(), changed).keys
    assert "sigs.k8s.io/kind" in RECIPES["kind"].row
    assert {"kind"} == {name for name in before if before[name] != after[name]}


def test_the_code_that_prepares_a_part_decides_its_key() -> None:
    assert Path(kubernetes_schema.__file__) in RECIPES["pulumi-resource-kubernetes"].inputs
    assert "0x" not in RECIPES["pulumi-resource-kubernetes"].row, "an address would be another key every time"


def test_a_key_does_not_change_with_what_a_part_is_for_or_how_it_is_recognised(world: World) -> None:
    world.pins = tool_row("kind")
    before = world.catalogue.keys["kind"]
    world.pins = tool_row("kind", found=True) + 'for = ["run"]\nlinks = ["kind"]\n'
    assert world.catalogue.keys["kind"] == before


@pytest.mark.parametrize(
    ("recipes", "message"),
    [
        ({"kind": recipe("nowhere")}, "needs nowhere, which pins.toml does not name"),
        ({"stray": recipe()}, "recipe for stray"),
        ({"kind": recipe("go"), "go": recipe("kind")}, "in a circle"),
    ],
)
def test_a_table_that_does_not_fit_together_is_refused(
    world: World, recipes: Mapping[str, Recipe], message: str
) -> None:
    world.pins, world.recipes = tool_row("kind") + tool_row("go"), recipes
    with pytest.raises(WrongUseError, match=message):
        assert world.catalogue is None


def test_the_catalogue_of_the_project_fits_together() -> None:
    Catalogue.of(load_pins(), RECIPES)


@pytest.mark.parametrize("name", ["debian-node", "node-base"])
def test_images_of_a_whole_debian_are_not_begun_without_root(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(build, "debian_source", lambda: None)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert RECIPES[name].impossible() is None
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "needs root" in str(RECIPES[name].impossible())


@pytest.mark.parametrize(
    "name", ["debian-node", "node-base", "image-envoy", "image-ingress-nginx", "image-locust"]
)
def test_images_of_debian_packages_are_not_begun_without_debian(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def missing() -> None:
        raise ToolchainError("no Debian archive", hint="use Debian")

    monkeypatch.setattr(build, "debian_source", missing)
    assert RECIPES[name].impossible() == "no Debian archive"
