"""The span in which locust runs: its records are read until it ends, or it is ended.

It ends by itself, by an interrupt, by what becomes of a sample, or because it should have ended long ago.
"""

import logging
import os
import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import loadtest
from loadtest.engines.child import Child
from loadtest.engines.held_signals import held_signals
from loadtest.engines.locust.reading import Reading
from loadtest.engines.locust.runner.job import Job
from loadtest.errors import MachineError, UsageError

logger = logging.getLogger(__name__)

# What locust may take beyond the load itself: to start, and to end.
_ALLOWANCE_S = 60.0


def watch(command: Sequence[str], job: Job, reading: Reading) -> None:
    """Raises UsageError where a locustfile failed, MachineError where locust did."""
    interrupted, overdue = threading.Event(), threading.Event()
    children: list[Child] = []

    def stop(why: threading.Event) -> None:
        why.set()
        for child in children:
            child.kill()

    with held_signals(lambda: stop(interrupted)), closing(Child(command, _environment())) as child:
        children.append(child)
        if interrupted.is_set():  # before it was in the list
            child.kill()
        timer = threading.Timer(_time_limit_s(job), stop, (overdue,))
        timer.start()
        try:
            reading.take(child.lines())
        finally:
            timer.cancel()
        code = child.exit_code()
    if not interrupted.is_set():
        _check_end(job, reading, code, child.said(), overdue=overdue.is_set())


def _time_limit_s(job: Job) -> float:
    if job.duration_s is None:  # the locustfile's shape knows, and threads cannot wait longer
        return threading.TIMEOUT_MAX
    return job.duration_s + job.timeout_s + _ALLOWANCE_S


def _environment() -> dict[str, str]:
    """The runner is found from whatever folder this program was started in."""
    package_folder = str(Path(loadtest.__file__).parents[1])
    python_path = os.pathsep.join(filter(None, (package_folder, os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": python_path}


def _check_end(job: Job, reading: Reading, code: int, said: str, *, overdue: bool) -> None:
    if said:
        logger.info("locust said", extra={"text": said})
    if overdue:
        raise MachineError(f"locust did not end within {_time_limit_s(job):.0f} s", hint=said)
    if code == 0 and reading.ended is not None:
        return
    how = f"ended with exit code {code}" if code >= 0 else f"was ended by signal {-code}"
    if job.locustfile is not None:
        raise UsageError(f"locust with {job.locustfile} {how}; it said last:", hint=said)
    raise MachineError(f"locust {how} before the load was over; it said last:", hint=said)
