"""How the end of a locust process is judged, and what it finds around it."""

import logging
from collections.abc import Sequence

from loadtest.engines import watching
from loadtest.engines.child import own_modules
from loadtest.engines.locust.reading import Reading
from loadtest.engines.locust.runner.job import Job
from loadtest.errors import MachineError, UsageError

logger = logging.getLogger(__name__)


def watch(command: Sequence[str], job: Job, reading: Reading) -> None:
    """Raises UsageError where a locustfile failed, MachineError where locust did."""
    load_s = None if job.duration_s is None else job.duration_s + job.timeout_s
    end = watching.watch(command, own_modules(), lambda child: reading.take(child.lines()), load_s=load_s)
    if not end.interrupted:
        _check_end(job, reading, end)


def _check_end(job: Job, reading: Reading, end: watching.End) -> None:
    if end.said:
        logger.info("locust said", extra={"text": end.said})
    if not end.overdue and end.exit_code == 0 and reading.ended is not None:
        _check_sent(job, reading)
        return
    if job.locustfile is not None and not end.overdue:
        raise UsageError(f"locust with {job.locustfile} {end.how}; it said last:", hint=end.said)
    raise MachineError(f"locust {end.how} before the load was over; it said last:", hint=end.said)


def _check_sent(job: Job, reading: Reading) -> None:
    if job.locustfile is not None and not reading.hosts:
        raise UsageError(
            f"locust with {job.locustfile} sent no request",
            hint="Does a task of its users send one, and do they stay long enough for it?",
        )
