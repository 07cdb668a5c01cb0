"""A program that pulls a lever and is killed without a chance to release it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_PROGRAM = """
import time
from loadtest.chaos import moves
from loadtest.chaos.lever import Lever, Move
lever = {lever}
lever.pull()
print("pulled", flush=True)
time.sleep(60)
"""


@contextmanager
def killed_with_its_lever_pulled(lever: str) -> Iterator[None]:
    """The program runs within the block and is killed at its end; `lever` is the expression to make one."""
    command = (sys.executable, "-c", _PROGRAM.format(lever=lever))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        try:
            assert child.stdout.readline() == "pulled\n"
            yield
        finally:
            child.kill()
