"""The one process of a load that is not distributed."""

from dataclasses import asdict
from typing import Any

from locust.env import Environment
from locust.event import Events

from loadtest.engines.locust.runner.ending import end_on_time, failures_of, refuse_what_never_ends
from loadtest.engines.locust.runner.job import Job
from loadtest.engines.locust.runner.output import Output
from loadtest.engines.locust.runner.records import Clock
from loadtest.engines.locust.runner.sender import Sender


class Alone:
    def __init__(self, events: Events, job: Job, output: Output) -> None:
        self._job = job
        self._output = output
        self._clock = Clock()
        self._sender = Sender(events, self._clock, output.records)
        events.init.add_listener(self._loaded)
        events.test_start.add_listener(self._begin)
        events.quitting.add_listener(self._end)

    def _loaded(self, environment: Environment, **_: Any) -> None:  # noqa: ANN401 - locust's events pass much
        refuse_what_never_ends(environment, self._job)

    def _begin(self, environment: Environment, **_: Any) -> None:  # noqa: ANN401
        self._output.tell("started", unix_ns=self._clock.now_ns())
        end_on_time(environment, self._job)

    def _end(self, environment: Environment, **_: Any) -> None:  # noqa: ANN401
        self._output.tell("ended", senders=[asdict(self._sender.totals())], failures=failures_of(environment))
