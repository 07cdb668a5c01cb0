from __future__ import annotations

import json
import re
import stat
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from toolchain.cache import Cache
from toolchain.errors import ToolchainError
from toolchain.pins import Kind, load_pins
from toolchain.process import Processes
from toolchain.recipes import RECIPES, go_build
from toolchain.recipes.go_build import GoPart, go_build_arguments, heap_limit_bytes
from toolchain.recipes.go_parts import GO_PARTS
from toolchain.recipes.images import GO_WRAPPERS
from toolchain.sources.build import BuildContext

PINS = load_pins()

# Notes its call and makes a file for every package; as a module it hands out the folder it is told.
FAKE_GO = f"""#!{sys.executable}
import json, os, pathlib, sys
here = pathlib.Path(__file__).parent
if sys.argv[1] == "mod":
    print(json.dumps({{"Dir": str(here / "module")}}))
    sys.exit()
(here / "call.json").write_text(json.dumps({{"arguments": sys.argv[1:], "environment": dict(os.environ)}}))
(here / "sources.json").write_text(json.dumps(sorted(os.listdir("."))))
if (here / "fails").exists():
    sys.exit("missing go.sum entry")
out = pathlib.Path(sys.argv[sys.argv.index("-o") + 1])
out.mkdir(parents=True, exist_ok=True)
for package in sys.argv[sys.argv.index("-o") + 2:]:
    name = json.loads((here / "names.json").read_text())[package]
    (out / name).write_text(package)
"""


class Workshop:
    """A recipe's surroundings with a Go that only notes what it is asked."""

    def __init__(self, folder: Path, names: Mapping[str, str]) -> None:
        self.bin = folder / "go" / "bin"
        self.out = folder / "out"
        self.module = self.bin / "module"
        for made in (self.bin, self.out, self.module, folder / "work"):
            made.mkdir(parents=True)
        (self.bin / "go").write_text(FAKE_GO, encoding="utf-8")
        (self.bin / "go").chmod(0o755)
        (self.bin / "names.json").write_text(json.dumps(names), encoding="utf-8")
        self.folder = folder

    def context(self, part: str, **dependencies: Path) -> BuildContext:
        return BuildContext(
            part=replace(PINS["kind"], name=part, version="1.2.3"),
            out=self.out,
            work=self.folder / "work",
            cache=Cache(root=self.folder / "cache"),
            log=self.folder / "log",
            dependencies={"go": self.bin.parent, **dependencies},
            processes=Processes(),
            report=lambda what: None,
        )

    def told(self, name: str) -> object:
        return json.loads((self.bin / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture
def wrappers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wrappers of the test's own instead of the project's."""
    folder = tmp_path / "wrappers"
    (folder / "thing").mkdir(parents=True)
    (folder / "thing" / "go.mod").write_text("module thing\n", encoding="utf-8")
    monkeypatch.setattr(go_build, "GO_WRAPPERS", folder)
    monkeypatch.setattr("toolchain.recipes.images.GO_WRAPPERS", folder)
    return folder


def requirements(wrapper: str) -> Mapping[str, str]:
    text = (GO_WRAPPERS / wrapper / "go.mod").read_text(encoding="utf-8")
    return dict(re.findall(r"^(?:require )?\s*([\w./~-]+\.[\w./~-]+) (v[^\s]+)", text, re.MULTILINE))


def test_every_part_that_is_no_image_and_not_optional_can_be_built_from_sources() -> None:
    needed = {name for name, part in PINS.items() if part.kind is not Kind.IMAGE and not part.optional}
    assert needed <= set(RECIPES)


def test_every_wrapper_serves_a_part_and_every_part_has_its_wrapper() -> None:
    used = {part.wrapper or name for name, part in GO_PARTS.items()}
    assert used == {folder.name for folder in GO_WRAPPERS.iterdir() if folder.is_dir()}


@pytest.mark.parametrize(
    ("part", "module"),
    [
        ("coredns", "github.com/coredns/coredns"),
        ("etcd", "go.etcd.io/etcd/server/v3"),
        ("http-echo", "github.com/hashicorp/http-echo"),
        ("k6", "go.k6.io/k6"),
        ("kind", "sigs.k8s.io/kind"),
        ("kubernetes", "k8s.io/kubernetes"),
        ("metrics-server", "sigs.k8s.io/metrics-server"),
        ("pulumi", "github.com/pulumi/pulumi/pkg/v3"),
        ("pulumi-language-python", "github.com/pulumi/pulumi/sdk/v3"),
        ("pulumi-resource-kubernetes", "github.com/pulumi/pulumi-kubernetes/sdk/v4"),
        ("traefik", "github.com/traefik/traefik/v3"),
    ],
)
def test_a_wrapper_pins_the_version_that_its_row_names(part: str, module: str) -> None:
    assert requirements(part)[module] == f"v{PINS[part].version}"


def test_the_command_provider_and_the_host_script_are_of_the_engines_own_version() -> None:
    engine = f"v{PINS['pulumi'].version}"
    for wrapper in ("pulumi", "pulumi-resource-command"):
        assert requirements(wrapper)["github.com/pulumi/pulumi/sdk/v3"] == engine


def test_the_command_provider_shares_what_was_compiled_for_the_engine() -> None:
    engine, provider = requirements("pulumi"), requirements("pulumi-resource-command")
    shared = engine.keys() & provider.keys()
    assert len(shared) > 50, "the two have most of their modules in common"
    differing = {module for module in shared if engine[module] != provider[module]}
    assert not differing, "each of these is compiled twice"


def test_every_staging_module_is_replaced_by_the_release_of_the_same_number() -> None:
    text = (GO_WRAPPERS / "kubernetes" / "go.mod").read_text(encoding="utf-8")
    replaced = dict(re.findall(r"^\s*(?:replace )?(k8s\.io/\S+) => \S+ (v\S+)$", text, re.MULTILINE))
    assert set(replaced.values()) == {f"v0.{PINS['kubernetes'].version.split('.', 1)[1]}"}
    staging = {module for module, version in requirements("kubernetes").items() if version == "v0.0.0"}
    assert staging <= set(replaced), "a staging module without a release has no source"


@pytest.mark.parametrize("wrapper", sorted({part.wrapper or name for name, part in GO_PARTS.items()}))
def test_every_required_module_has_its_sum(wrapper: str) -> None:
    sums = (GO_WRAPPERS / wrapper / "go.sum").read_text(encoding="utf-8")
    text = (GO_WRAPPERS / wrapper / "go.mod").read_text(encoding="utf-8")
    sources = dict(re.findall(r"^\s*(?:replace )?(\S+) => (\S+)", text, re.MULTILINE))
    modules = {sources.get(module, module) for module in requirements(wrapper)}
    assert modules, "a wrapper that requires nothing builds nothing"
    assert not [module for module in modules if f"{module} v" not in sums]


def test_neither_the_machine_nor_unpinned_modules_get_into_a_build() -> None:
    arguments = go_build_arguments(GO_PARTS["kubernetes"], "1.34.11")
    assert {"-mod=readonly", "-trimpath", "-buildvcs=false"} <= set(arguments)
    assert "-X k8s.io/component-base/version.gitMinor=34" in arguments[-1]
    assert "{" not in arguments[-1], "a placeholder was left"


def test_programs_are_built_in_one_go_and_get_their_own_names(
    tmp_path: Path, wrappers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = {"one": "example.org/a/cmd/nginx", "two": "example.org/b/server/v3", "three": "."}
    names = {packages["one"]: "nginx", packages["two"]: "server", packages["three"]: "thing"}
    part = GoPart(programs=packages)
    monkeypatch.setenv("GOFLAGS", "-mod=mod")
    workshop = Workshop(tmp_path, names)
    go_build.build(workshop.context("thing"), part)
    made = {file.name: file.read_text(encoding="utf-8") for file in (workshop.out / "bin").iterdir()}
    assert made == packages
    environment = workshop.told("call")["environment"]  # type: ignore[index]
    assert environment["GOFLAGS"] == "", "flags of the machine could change what is built"
    assert environment["GOCACHE"] == str(tmp_path / "cache" / "go" / "build")
    assert environment["GOMODCACHE"] == str(tmp_path / "cache" / "go" / "mod")


def test_a_build_works_on_a_copy_of_the_wrapper(tmp_path: Path, wrappers: Path) -> None:
    def prepare(context: BuildContext, sources: Path) -> None:
        (sources / "embedded.json").write_text(context.part.version, encoding="utf-8")

    part = GoPart(programs={"thing": "."}, prepare=prepare)
    workshop = Workshop(tmp_path, {".": "thing"})
    go_build.build(workshop.context("thing"), part)
    assert workshop.told("sources") == ["embedded.json", "go.mod"]
    assert [file.name for file in (wrappers / "thing").iterdir()] == ["go.mod"]


def test_a_build_that_fails_names_the_part_and_says_why(tmp_path: Path, wrappers: Path) -> None:
    part = GoPart(programs={"thing": "."})
    workshop = Workshop(tmp_path, {".": "thing"})
    (workshop.bin / "fails").touch()
    with pytest.raises(ToolchainError, match=r"(?s)thing.*missing go\.sum entry"):
        go_build.build(workshop.context("thing"), part)


def test_files_of_modules_become_writable_and_programs_executable(tmp_path: Path, wrappers: Path) -> None:
    copied = {"chart": ("example.org/a", "charts/one"), "bin/script": ("example.org/a", "script")}
    part = GoPart(of_modules=copied)
    workshop = Workshop(tmp_path, {})
    (workshop.module / "charts/one/templates").mkdir(parents=True)
    for file in ("charts/one/templates/a.yaml", "script"):
        (workshop.module / file).write_text(file, encoding="utf-8")
        (workshop.module / file).chmod(0o444)
    go_build.build(workshop.context("thing"), part)
    modes = {
        str(file.relative_to(workshop.out)): stat.S_IMODE(file.stat().st_mode)
        for file in workshop.out.rglob("*")
        if file.is_file()
    }
    assert modes == {"chart/templates/a.yaml": 0o644, "bin/script": 0o755}


def test_a_file_of_another_part_is_taken_from_there(tmp_path: Path, wrappers: Path) -> None:
    part = GoPart(of_parts={"bin/tool": ("other", "bin/tool")})
    other = tmp_path / "other"
    (other / "bin").mkdir(parents=True)
    (other / "bin" / "tool").write_text("the tool", encoding="utf-8")
    workshop = Workshop(tmp_path, {})
    go_build.build(workshop.context("thing", other=other), part)
    assert (workshop.out / "bin" / "tool").read_text(encoding="utf-8") == "the tool"


@pytest.mark.parametrize(
    ("memory_gib", "cpus", "limit_gib"), [(24, 2, 6), (16, 8, 2), (2, 2, 2), (256, 8, 16)]
)
def test_the_compilers_together_take_half_of_the_memory_but_never_starve(
    memory_gib: int, cpus: int, limit_gib: int
) -> None:
    assert heap_limit_bytes(memory_gib << 30, cpus) == limit_gib << 30
