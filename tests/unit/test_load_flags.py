"""The flags of a load: what each overrides, and which exclude each other."""

import argparse
from pathlib import Path
from typing import Any

import pytest

from loadtest.errors import UsageError
from loadtest.load_flags import add_flags, read_flags
from loadtest.plan import Arrivals, Stage


def given(*arguments: str) -> dict[str, Any]:
    parser = argparse.ArgumentParser()
    add_flags(parser)
    flags = read_flags(parser.parse_args(arguments))
    return {name: value for name, value in flags.items() if value is not None}


def test_without_flags_the_stacks_config_decides() -> None:
    assert {} == given()


def test_a_verb_without_these_flags_overrides_nothing() -> None:
    assert {None} == set(read_flags(argparse.Namespace()).values())


@pytest.mark.parametrize(
    ("arguments", "flags"),
    [
        ("--requests 200 --concurrency 20", {"requests": 200, "concurrency": 20}),
        (
            "--profile constant_rate --rate 2.5 --duration 3",
            {"profile": "constant_rate", "rate_rps": 2.5, "duration_s": 3.0},
        ),
        (
            "--stage 50:2 --stage 0:0.5",
            {"stages": (Stage(rate_rps=50, duration_s=2), Stage(rate_rps=0, duration_s=0.5))},
        ),
        (
            "--users 5 --spawn-rate 2 --wait-min 0.1 --wait-max 0.2",
            {"users": 5, "spawn_rate_per_s": 2.0, "wait_min_s": 0.1, "wait_max_s": 0.2},
        ),
        (
            "--arrivals poisson --max-connections 9 --worker-processes 2",
            {"arrivals": Arrivals.POISSON, "max_connections": 9, "worker_processes": 2},
        ),
        ("--locust-web --locust-workers 2", {"locust_web_port": 8089, "locust_workers": 2}),
        ("--locust-web 9000", {"locust_web_port": 9000}),
        ("--timeout 1.5 --warm-up-retries 0", {"timeout_s": 1.5, "warm_up_retries": 0}),
    ],
)
def test_a_flag_overrides_the_setting_of_its_name(arguments: str, flags: dict[str, Any]) -> None:
    assert flags == given(*arguments.split())


@pytest.mark.parametrize(("flag", "engine"), [("--k6-script", "k6"), ("--locustfile", "locust")])
def test_a_script_chooses_engine_and_profile(flag: str, engine: str, tmp_path: Path) -> None:
    script = tmp_path / "mine"
    assert {"engine": engine, "profile": "script", "script": str(script)} == given(flag, str(script))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--k6-script a.js --engine builtin", "--k6-script means --engine k6, which --engine builtin"),
        ("--locustfile a.py --profile closed", "--locustfile means --profile script, which --profile closed"),
    ],
)
def test_a_script_and_another_engine_exclude_each_other(arguments: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        given(*arguments.split())


@pytest.mark.parametrize("stage", ["50", "a:b", ""])
def test_a_stage_that_is_none_is_refused(stage: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        given("--stage", stage)
    assert "is no RATE:SECONDS" in capsys.readouterr().err
