"""The guard, as the process it is: it acts when its run dies, and only then."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

from tests.waiting import comes_true, runs

RUN = """
import subprocess, sys, time
from pathlib import Path
from loadtest.guard import guarded
destroy = (sys.executable, "-c", "from pathlib import Path; Path('destroyed').touch()")
with guarded(destroy, folder=Path.cwd(), log=Path("guard.log")) as watcher:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    watcher.started(child.pid)
    print(child.pid, flush=True)
    {then}
    child.kill()
"""


def start(folder: Path, then: str) -> tuple[subprocess.Popen[str], int]:
    run = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(RUN).format(then=then)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert run.stdout
    return run, int(run.stdout.readline())


def test_a_run_that_is_killed_is_cleaned_up_after(tmp_path: Path) -> None:
    run, child = start(tmp_path, then="time.sleep(60)")

    run.send_signal(signal.SIGKILL)
    run.communicate()

    assert comes_true(lambda: (tmp_path / "destroyed").exists()), (tmp_path / "guard.log").read_text()
    assert comes_true(lambda: not runs(child)), "the program the run had started is ended first"


def test_a_program_that_had_ended_is_not_taken_for_another_of_its_number(tmp_path: Path) -> None:
    run, stranger = start(tmp_path, then="watcher.ended(); time.sleep(60)")
    time.sleep(0.5)

    run.send_signal(signal.SIGKILL)
    run.wait()  # and no more: the stranger holds the pipe that the run printed to

    assert comes_true(lambda: (tmp_path / "destroyed").exists())
    assert runs(stranger)
    os.kill(stranger, signal.SIGKILL)
    run.communicate()


def test_a_run_that_ends_by_itself_is_left_alone(tmp_path: Path) -> None:
    run, _ = start(tmp_path, then="pass")

    run.communicate()

    assert run.returncode == 0
    assert not (tmp_path / "destroyed").exists()


def test_a_run_that_ends_by_an_exception_has_put_things_away_itself(tmp_path: Path) -> None:
    run, child = start(tmp_path, then="child.kill(); raise RuntimeError('planted')")

    run.communicate()

    assert run.returncode != 0
    assert not (tmp_path / "destroyed").exists()
    assert comes_true(lambda: not runs(child))
