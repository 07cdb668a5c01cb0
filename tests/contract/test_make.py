"""`make test` and `make scan`, with programs in the place of the real ones that note how they are called."""

import shutil
import subprocess
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PROGRAM = """#!/bin/sh
call=$(echo "$(basename "$0") $*" | sed "s|$PWD/||g")
echo "$call" >> calls
[ "$call" != "$FAILS" ]
"""


def make_test(folder: Path, *, fails: str = "") -> tuple[int, list[str]]:
    return make(folder, "test", fails=fails)


def make(folder: Path, *words: str, fails: str = "") -> tuple[int, list[str]]:
    """The exit code, and the calls."""
    commands = folder / ".venv" / "bin"
    commands.mkdir(parents=True)
    for program in (PROJECT / ".venv" / "bin").iterdir():
        (commands / program.name).write_text(PROGRAM)
        (commands / program.name).chmod(0o755)
    shutil.copy(PROJECT / "Makefile", folder)
    done = subprocess.run(
        ("make", *words), cwd=folder, env={"PATH": "/usr/bin:/bin", "FAILS": fails}, capture_output=True
    )
    return done.returncode, (folder / "calls").read_text().splitlines()


def test_every_test_but_those_of_the_real_trivy_is_run_once_those_on_a_cluster_or_the_others(
    tmp_path: Path,
) -> None:
    code, calls = make_test(tmp_path)
    assert code == 0
    by_modules = "--dist=loadscope --no-loadscope-reorder"
    assert [call for call in calls if "pytest" in call] == [
        f"python -m pytest -m not cluster and not trivy --numprocesses=4 {by_modules}",
        f"python -m pytest tests/e2e -m cluster --numprocesses=2 {by_modules}",
    ]


def scanned(folder: Path, *variables: str) -> list[str]:
    """The calls that `make scan` makes of this project's own programs, in a project of two stacks."""
    folder.mkdir()
    for stack in ("ci", "shop"):
        (folder / f"Pulumi.{stack}.yaml").touch()
    code, calls = make(folder, "scan", *variables)
    assert code == 0
    return calls


def test_a_scan_is_of_every_stack_or_of_the_one_that_another_repository_brings(tmp_path: Path) -> None:
    calls = scanned(tmp_path / "here")
    assert calls[-2:] == [
        "python3 -m toolchain get trivy",
        "python -m loadtest scan --stacks ci shop --repository .",
    ]
    assert {f"python3 -m toolchain setup --for preview --stack {stack}" for stack in ("ci", "shop")} <= {
        *calls
    }
    *_, last = scanned(tmp_path / "there", "STACK=shop", "REPOSITORY=service")
    assert last == "python -m loadtest scan --stacks shop --repository service"


def test_a_repository_to_scan_may_have_a_space_in_its_name(tmp_path: Path) -> None:
    *_, last = scanned(tmp_path / "here", "REPOSITORY=the  service")
    assert last.endswith("--repository the  service"), "two words would be told with one space"


def test_whatever_fails_fails_the_whole(tmp_path: Path) -> None:
    _, calls = make_test(tmp_path / "sound")
    assert {call.split()[0] for call in calls} >= {"python3", "python", "ruff", "mypy", "lint-imports"}
    for number, call in enumerate(calls):
        code, made = make_test(tmp_path / str(number), fails=call)
        assert code != 0, call
        assert made[-1] == call
