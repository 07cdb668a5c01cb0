"""`make test`, with programs in the place of the real ones that write down how they are called."""

import shutil
import subprocess
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PROGRAM = """#!/bin/sh
echo "$(basename "$0") $*" >> calls
[ "$(basename "$0") $*" != "$FAILS" ]
"""


def make_test(folder: Path, *, fails: str = "") -> tuple[int, list[str]]:
    """The exit code, and the calls."""
    commands = folder / ".venv" / "bin"
    commands.mkdir(parents=True)
    for program in (PROJECT / ".venv" / "bin").iterdir():
        (commands / program.name).write_text(PROGRAM)
        (commands / program.name).chmod(0o755)
    shutil.copy(PROJECT / "Makefile", folder)
    done = subprocess.run(
        ("make", "test"), cwd=folder, env={"PATH": "/usr/bin:/bin", "FAILS": fails}, capture_output=True
    )
    return done.returncode, (folder / "calls").read_text().splitlines()


def test_every_test_but_those_of_the_real_trivy_is_run_once_those_on_a_cluster_or_the_others(
    tmp_path: Path,
) -> None:
    code, calls = make_test(tmp_path)
    assert code == 0
    chosen = [call.partition(" --")[0] for call in calls if "pytest" in call]
    assert chosen == ["python -m pytest -m not cluster and not trivy", "python -m pytest -m cluster"]
    assert not any(word in call for call in calls for word in ("--deselect", "--ignore", " -k ", "--reruns"))


def test_whatever_fails_fails_the_whole(tmp_path: Path) -> None:
    _, calls = make_test(tmp_path / "sound")
    assert {call.split()[0] for call in calls} >= {"python3", "python", "ruff", "mypy", "lint-imports"}
    for number, call in enumerate(calls):
        code, made = make_test(tmp_path / str(number), fails=call)
        assert code != 0, call
        assert made[-1] == call
