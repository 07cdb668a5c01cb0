"""Pulumi.yaml states each key once, with type, description and default, and the program reads just these."""

from collections.abc import Collection
from pathlib import Path

import pytest

from infra import versions
from infra.clusters import PROVIDERS
from infra.ingress import CONTROLLERS
from infra.parsing import parse
from infra.paths import ROOT
from infra.project_file import decoded, read_yaml, schema, with_defaults, without_namespace
from tests.infra.configuration import PROJECT, ci_config, problems


def test_every_key_has_a_type_a_description_and_a_default_of_that_type() -> None:
    kinds = {"string": str, "integer": int, "boolean": bool, "array": list}
    for key, declared in schema(PROJECT).items():
        assert declared["description"], key
        assert isinstance(declared["default"], kinds[declared["type"]]), key


@pytest.mark.parametrize("key", sorted(schema(PROJECT)))
def test_the_program_reads_every_declared_key(key: str) -> None:
    config = ci_config()
    del config[key]
    assert (f"{key} is not set",) == problems(config)


def test_the_version_of_kubernetes_is_the_pinned_one() -> None:
    default = schema(PROJECT)["cluster_kubernetes_version"]["default"]
    assert versions.version("kubernetes") == versions.version("node-image") == default
    assert versions.image("loadproof/node").endswith(f":v{default}")


@pytest.mark.parametrize(
    ("key", "names"), [("cluster_provider", PROVIDERS), ("ingress_controller", CONTROLLERS)]
)
def test_every_name_that_may_be_chosen_stands_beside_its_key(key: str, names: Collection[str]) -> None:
    assert schema(PROJECT)[key]["description"].endswith(f"({', '.join(names)})")


@pytest.mark.parametrize("file", sorted(ROOT.glob("Pulumi.*.yaml")), ids=lambda file: str(file.name))
def test_a_committed_stack_sets_nothing_that_is_the_default_anyway(file: Path) -> None:
    own = without_namespace(PROJECT, read_yaml(file)["config"])
    defaults = with_defaults(PROJECT, {})
    assert [] == [key for key, value in own.items() if defaults[key] == value]


def test_values_set_by_the_command_line_as_text_come_in_their_declared_type() -> None:
    set_as_text = {"ingress_port": "8080", "cluster_name": "123", "apps": '[{"name": "foo"}]'}
    config = with_defaults(PROJECT, set_as_text)
    assert 8080 == config["ingress_port"]
    assert "123" == config["cluster_name"]
    assert [{"name": "foo"}] == config["apps"]


def test_text_that_does_not_fit_the_type_is_left_for_the_parser_to_refuse() -> None:
    assert "eighty" == decoded("eighty", "integer")
    assert 'ingress_port is "eighty", it has to be a whole number from 1 to 65535' in problems(
        ci_config(ingress_port="eighty")
    )


def test_only_the_projects_own_keys_are_read() -> None:
    assert {"apps": []} == without_namespace(PROJECT, {"loadproof:apps": [], "kubernetes:context": "x"})


def test_a_yaml_file_without_a_mapping_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.x.yaml").write_text("- a\n- list\n")
    with pytest.raises(TypeError, match="holds no mapping"):
        read_yaml(tmp_path / "Pulumi.x.yaml")


def test_defaults_and_the_committed_apps_make_a_sound_stack() -> None:
    settings = parse(ci_config(), stack="ci")
    assert ("loadproof", 3) == (settings.cluster.name, settings.cluster.nodes)
    assert {"ingress_port": 80, "monitoring_port": 30090} == settings.host_ports
