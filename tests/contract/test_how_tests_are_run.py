"""How the tests are started does not decide what they find, and those that have a place are there."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import LONGEST

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


def test_those_that_have_a_place_in_their_order_are_there() -> None:
    missing = [name for name in LONGEST if not (PROJECT / "tests" / name).exists()]
    assert missing == []


def test_whatever_needs_a_cluster_is_where_it_is_looked_for() -> None:
    """`make test` looks nowhere else: two processes would read three thousand tests for some thirty."""
    mark = "pytest.mark." + "cluster"
    marked = [file for file in (PROJECT / "tests").rglob("*.py") if mark in file.read_text(encoding="utf-8")]
    assert marked
    assert [] == [str(file) for file in marked if not file.is_relative_to(PROJECT / "tests" / "e2e")]
