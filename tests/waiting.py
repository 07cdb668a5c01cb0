"""Waiting for what another process does, with an end to the wait."""

import time
from collections.abc import Callable
from pathlib import Path


def comes_true(condition: Callable[[], bool], *, within_s: float = 30.0, pause_s: float = 0.02) -> bool:
    until_s = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > until_s:
            return False
        time.sleep(pause_s)
    return True


def runs(pid: int) -> bool:
    """False also where it ended and nobody asked for its exit code yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
