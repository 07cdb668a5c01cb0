"""How the tests are started does not decide what they find, and those that have a place are there."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.conftest import LONGEST, ByCluster, place

PROJECT = Path(__file__).resolve().parents[2]
# What the tests start ends by the signal that it sends to itself, if it hears it.
TESTS = """
import os, signal, subprocess, sys
signal.signal(signal.{name}, signal.SIG_IGN)
from tests.conftest import make_programs_hear_signals
make_programs_hear_signals()
os.kill(os.getpid(), signal.{name})
program = "import os, signal; os.kill(os.getpid(), signal.{name})"
print(subprocess.run((sys.executable, "-c", program), stderr=subprocess.DEVNULL).returncode)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda one: one.name)
def test_what_they_start_hears_a_signal_that_they_were_told_to_ignore(number: signal.Signals) -> None:
    tests = (sys.executable, "-c", TESTS.format(name=number.name))
    done = subprocess.run(tests, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"{-number}\n"), done.stderr


def test_those_that_have_a_place_in_their_order_are_there_and_come_in_it() -> None:
    assert [] == [name for name in LONGEST if not (PROJECT / "tests" / name).exists()]
    places = [place(f"tests/{name}::test_one") for name in (*LONGEST, "unit/test_plan.py")]
    assert places == list(range(len(LONGEST) + 1))


def test_modules_that_share_a_cluster_share_a_process_and_no_others_do() -> None:
    assert "_split_scope" in vars(LoadScopeScheduling), "xdist asks for it by another name now"
    scope_of = object.__new__(ByCluster)._split_scope
    sharing = {scope_of(f"tests/e2e/one_cluster/test_{name}.py::test_it") for name in ("gate", "chaos")}
    others = {scope_of(f"tests/e2e/test_{name}.py::test_it") for name in ("killed", "existing")}
    assert (1, 2, 3) == (len(sharing), len(others), len(sharing | others))
