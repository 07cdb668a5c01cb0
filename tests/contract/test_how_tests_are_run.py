"""How the tests are started does not decide what they find, and those that have a place are there."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import STORIES

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


def test_the_stories_that_have_a_place_are_there() -> None:
    missing = [name for name in STORIES if not (PROJECT / "tests" / "e2e" / f"test_{name}.py").exists()]
    assert missing == []
