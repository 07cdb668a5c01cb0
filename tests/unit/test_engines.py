"""Which engine carries out which plan, and what is said where none does."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from loadtest.engines import ENGINES, engine_for
from loadtest.engines.builtin.engine import BuiltinEngine
from loadtest.errors import MachineError, UsageError
from loadtest.load_options import LoadOptions
from loadtest.plan import PROFILES

PROJECT_FILE = Path(__file__).parents[2] / "Pulumi.yaml"


def problem(**flags: Any) -> str:
    with pytest.raises(UsageError) as told:
        engine_for(LoadOptions().plan(flags))
    return str(told.value)


def test_the_default_plan_is_carried_out_by_the_builtin_engine() -> None:
    assert isinstance(engine_for(LoadOptions().plan()), BuiltinEngine)


def test_an_unknown_engine_is_told_with_the_choices() -> None:
    assert f"engine 'ab' is unknown, choose from: {', '.join(ENGINES)}" in problem(engine="ab")


def test_a_profile_that_the_engine_does_not_have_is_told_with_what_there_is() -> None:
    told = problem(profile="users")
    assert "engine builtin cannot carry out the profile users, only closed" in told
    assert "The engines that can: " in told


def test_every_row_names_its_profiles() -> None:
    for name, row in ENGINES.items():
        assert row.profiles, name
        assert row.profiles <= {*PROFILES.values()}, name


def test_a_script_that_is_not_there_is_told(tmp_path: Path) -> None:
    able = {name: row for name, row in ENGINES.items() if PROFILES["script"] in row.profiles}
    for name in able:
        told = problem(engine=name, profile="script", script=str(tmp_path / "none.js"))
        assert f"there is no script {tmp_path / 'none.js'}" in told


def test_an_engine_whose_program_is_missing_names_the_command_that_gets_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(MachineError, match="the engine k6 needs the program 'k6'") as told:
        engine_for(LoadOptions(engine="k6").plan())
    assert "python3 -m toolchain get k6" in told.value.hint


def test_the_settings_name_every_engine() -> None:
    described = yaml.safe_load(PROJECT_FILE.read_text())["config"]["load_engine"]["description"]
    assert f"({', '.join(ENGINES)})" in described
