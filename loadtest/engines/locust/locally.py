"""Locust on this machine: one process beside this one."""

import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loadtest.engines.locust import runner
from loadtest.engines.locust.runner.job import Job
from loadtest.errors import MachineError


@contextmanager
def locally(job: Job) -> Iterator[tuple[str, ...]]:
    """The command that carries the job out. Raises MachineError where its page's port is taken."""
    if job.web_port is not None:
        _check_free(job.web_port)
    with tempfile.TemporaryDirectory(prefix="loadproof-locust-") as folder:
        file = Path(folder) / "job.json"
        file.write_text(job.text())
        yield (sys.executable, "-m", runner.__name__, "alone", str(file))


def _check_free(port: int) -> None:
    """locust itself would end with its tables, long after it said why."""
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # one that was just given up will do
        try:
            tried.bind(("127.0.0.1", port))
        except OSError as error:
            raise MachineError(
                f"locust's web page cannot have port {port} of this machine: {error.strerror}",
                hint="`--locust-web PORT` gives it another.",
            ) from error
