from __future__ import annotations

import json
import platform
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from toolchain.cache import Cache
from toolchain.debian import Source
from toolchain.errors import CommandError, ToolchainError
from toolchain.pins import Kind, load_pins
from toolchain.process import Processes
from toolchain.recipes import RECIPES, debian_node, locust_image
from toolchain.recipes.images import IMAGES, docker_build, dockerfile_folder, note_image
from toolchain.recipes.ingress_nginx import adapted
from toolchain.recipes.node_image import bake
from toolchain.sources.build import BuildContext

PINS = load_pins()
PROJECT = Path(__file__).resolve().parents[2]


class Workshop(BuildContext):
    """A recipe's surroundings in which commands are noted, answered by rule, and not run."""

    calls: list[tuple[str, ...]]
    said: list[str]
    fails: str | None
    failure: str

    def run(
        self,
        *args: str,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
    ) -> str:
        self.calls.append(args)
        if self.fails is not None and self.fails in args:
            object.__setattr__(self, "fails", None)
            raise CommandError(self.failure, hint="")
        match args:
            case ("docker", "image", "inspect", "--format", "{{.Id}}", _):
                return "sha256:abc\n"
            case ("docker", "image", "inspect", "--format", _, "base:1"):
                return "plan9/mips\n"
        return "a-container\n"


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    for name in ("out", "work"):
        (tmp_path / name).mkdir()
    said: list[str] = []
    made = Workshop(
        part=PINS["image-prometheus"],
        out=tmp_path / "out",
        work=tmp_path / "work",
        cache=Cache(root=tmp_path / "cache"),
        log=tmp_path / "log",
        dependencies={},
        processes=Processes(),
        report=said.append,
    )
    for name, value in {"calls": [], "said": said, "fails": None, "failure": "it failed"}.items():
        object.__setattr__(made, name, value)
    return made


def verbs(workshop: Workshop) -> list[str]:
    return [call[-1] for call in workshop.calls if call[:2] == ("docker", "exec")]


IMAGES_TO_BUILD = {name for name, part in PINS.items() if part.kind is Kind.IMAGE and not part.optional}


def test_every_image_of_the_pins_has_a_recipe_unless_everything_works_without_it() -> None:
    assert IMAGES_TO_BUILD <= RECIPES.keys()


def test_every_input_of_an_image_recipe_is_there() -> None:
    for name in IMAGES_TO_BUILD:
        missing = [path for path in RECIPES[name].inputs if not path.exists()]
        assert [] == missing, f"{name}: what is not there cannot change the part's key"


def test_the_folder_of_a_dockerfile_decides_the_key_of_its_image() -> None:
    inputs = {path for name in RECIPES for path in RECIPES[name].inputs}
    unused = [f.parent.name for f in IMAGES.glob("*/Dockerfile") if f.parent not in inputs]
    assert [] == unused


def locked(file: Path) -> set[str]:
    """Every pinned package of a requirements file, with its version."""
    return set(re.findall(r"^[\w.-]+==[^\s;]+", file.read_text(), re.MULTILINE))


def test_the_image_of_locust_has_the_packages_that_the_project_itself_is_locked_to() -> None:
    project, image = locked(PROJECT / "requirements.txt"), locked(IMAGES / "locust/requirements.txt")
    assert f"locust=={PINS['image-locust'].version}" in project & image
    assert image <= project, "`make lock` writes the image's requirements anew"


def test_packages_of_the_image_of_locust_are_installed_by_hash_for_its_own_python(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locust_image, "unpack_debian", lambda *args: args[-1].mkdir())
    monkeypatch.setattr(locust_image, "interpreter_with_pip", lambda: "python")
    locust_image.locust(workshop)
    (pip,) = [call for call in workshop.calls if "pip" in call]
    assert {"--require-hashes", "--only-binary=:all:", "--python-version=3.11"} <= set(pip)
    assert f"--platform=manylinux_2_36_{platform.machine()}" in pip
    assert not any("manylinux_2_37" in word for word in pip), "newer than the image's C library"


def test_no_dockerfile_fetches_anything() -> None:
    fetching = ("http:", "https:", "apt-get", "curl", "wget", "apk ")
    for file in IMAGES.glob("*/Dockerfile"):
        text = file.read_text()
        assert not [word for word in fetching if word in text], file
        assert [] == [
            line
            for line in text.splitlines()
            if line.startswith("FROM") and line not in ("FROM scratch", "FROM ${DEBIAN}")
        ], file


def test_an_image_is_built_without_network(workshop: Workshop) -> None:
    docker_build(workshop, dockerfile_folder(workshop, "pause"), "a:1", NAME="value")
    (call,) = workshop.calls
    assert "--network=none" in call
    assert "NAME=value" in call


def test_baking_imports_discards_archives_and_shares_layers(workshop: Workshop) -> None:
    bake(workshop, "base:1", ("one:1", "two:2"), "node:1")
    assert ["start", "discard", "stop", "share"] == verbs(workshop)
    (imported,) = [call for call in workshop.calls if call[0] == "bash"]
    assert ("a-container", "plan9/mips", "", "one:1", "two:2") == imported[-5:]
    assert {"reference": "node:1", "id": "sha256:abc"} == json.loads(
        (workshop.out / "image.json").read_text()
    )


def test_what_cannot_be_unpacked_is_baked_packed_with_all_its_archives(workshop: Workshop) -> None:
    object.__setattr__(workshop, "fails", "pipefail")
    object.__setattr__(workshop, "failure", 'failed to convert whiteout file ".wh.gone"')
    bake(workshop, "base:1", ("one:1",), "node:1")
    assert ["start", "stop"] == verbs(workshop), "a layer's archive is needed where no node has it unpacked"
    imported = [call for call in workshop.calls if call[0] == "bash"]
    assert ("a-container", "plan9/mips", "--no-unpack", "one:1") == imported[-1][-4:]
    assert any("stay packed" in line for line in workshop.said)


def test_an_import_that_fails_for_another_reason_is_not_tried_packed(workshop: Workshop) -> None:
    object.__setattr__(workshop, "fails", "pipefail")
    with pytest.raises(CommandError, match="it failed"):
        bake(workshop, "base:1", ("one:1",), "node:1")
    assert 1 == len([call for call in workshop.calls if call[0] == "bash"])
    assert [] == [line for line in workshop.said if "stay packed" in line]


def test_an_engine_that_is_pruning_already_does_not_fail_a_part(workshop: Workshop) -> None:
    object.__setattr__(workshop, "fails", "prune")
    note_image(workshop, "one:1")
    assert any("prune" in call for call in workshop.calls)
    assert (workshop.out / "image.json").exists()


def test_debians_bootstrap_mounts_nothing_that_could_outlive_it(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(
        debian_node,
        "debian_source",
        lambda: Source(uri="http://debian.test", suites=(), components=(), keyring="k"),
    )
    monkeypatch.setattr(debian_node, "unpack_debian", lambda *_: {})
    object.__setattr__(workshop, "fails", "--variant=minbase")
    with pytest.raises(CommandError):
        debian_node.debian_node(workshop)
    assert ("unshare", "--mount") == workshop.calls[-1][:2]


def test_a_failed_baking_leaves_no_container_and_no_image(workshop: Workshop) -> None:
    object.__setattr__(workshop, "fails", "stop")
    with pytest.raises(CommandError):
        bake(workshop, "base:1", ("one:1",), "node:1")
    assert ("docker", "rm", "--force", "--volumes", "a-container") == workshop.calls[-1]
    assert not any("commit" in call for call in workshop.calls)
    assert not (workshop.out / "image.json").exists()


TEMPLATE = """\
# start
pid {{ .PID }};
http {
}

stream {
    lua_things;
    server {
    }
}

{{/* definition of templates to avoid repetitions */}}
{{ define "X" }}
"""


def test_the_controllers_template_loads_modules_and_gets_a_stream_block_without_lua() -> None:
    text = adapted(TEMPLATE, "stream { plain }\n")
    assert text.index("include /etc/nginx/modules.conf;") < text.index("http {")
    assert "lua_things" not in text
    assert 1 == text.count("stream {")
    assert text.endswith(TEMPLATE[TEMPLATE.index("{{/* definition") :])


@pytest.mark.parametrize("lost", ["\npid {{ .PID }};\n", "\nstream {\n", "\n{{/* definition of templates"])
def test_a_template_of_another_build_is_refused_and_not_half_adapted(lost: str) -> None:
    with pytest.raises(ToolchainError, match="no single"):
        adapted(TEMPLATE.replace(lost, "\n"), "stream {}\n")
