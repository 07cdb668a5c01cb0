"""Locust on this machine: one process beside this one."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loadtest.engines.locust import runner
from loadtest.engines.locust.runner.job import Job


@contextmanager
def locally(job: Job) -> Iterator[tuple[str, ...]]:
    """The command that carries the job out."""
    with tempfile.TemporaryDirectory(prefix="loadproof-locust-") as folder:
        file = Path(folder) / "job.json"
        file.write_text(job.text())
        yield (sys.executable, "-m", runner.__name__, "alone", str(file))
