"""The process that leads others which send: tells them when, and takes in what they hand over.

A load is over when every worker has said how much it sent: a batch that is lost on the way is missed then.
"""

from typing import Any

import gevent
from locust.env import Environment
from locust.event import Events
from locust.rpc import Message
from locust.runners import STATE_MISSING, MasterRunner

from loadtest.engines.locust.runner.ending import end_on_time, failures_of, refuse_what_never_ends
from loadtest.engines.locust.runner.job import Job
from loadtest.engines.locust.runner.output import Output
from loadtest.engines.locust.runner.records import Clock

# How long totals may take when all users have stopped.
_TOTALS_S = 10.0
_LOOK_S = 0.02


class Master:
    def __init__(self, events: Events, job: Job, output: Output) -> None:
        self._job = job
        self._output = output
        self._clock = Clock()
        self._totals: dict[str, dict[str, Any]] = {}
        events.init.add_listener(self._loaded)
        events.test_start.add_listener(self._begin)
        events.test_stop.add_listener(self._await_totals)
        events.quitting.add_listener(self._end)

    def _loaded(self, environment: Environment, runner: MasterRunner, **_: Any) -> None:  # noqa: ANN401 - locust's
        refuse_what_never_ends(environment, self._job)
        self._runner = runner
        for name, listener in (
            ("clock", self._tell_the_time),
            ("records", self._take_records),
            ("totals", self._take_totals),
        ):
            runner.register_message(name, listener)
        _stop_with_the_shape(environment)

    def _begin(self, environment: Environment, **_: Any) -> None:  # noqa: ANN401
        self._output.tell("started", unix_ns=self._clock.now_ns())
        end_on_time(environment, self._job)

    def _tell_the_time(self, msg: Message, **_: Any) -> None:  # noqa: ANN401
        self._runner.send_message("clock", {**msg.data, "unix_ns": self._clock.now_ns()}, msg.node_id)

    def _take_records(self, msg: Message, **_: Any) -> None:  # noqa: ANN401
        self._output.records(msg.data["records"])

    def _take_totals(self, msg: Message, **_: Any) -> None:  # noqa: ANN401
        self._totals[msg.node_id] = msg.data

    def _await_totals(self, **_: Any) -> None:  # noqa: ANN401
        with gevent.Timeout(_TOTALS_S, exception=False):
            while len(self._totals) < self._job.workers and self._may_tell():
                gevent.sleep(_LOOK_S)

    def _may_tell(self) -> bool:
        """Whether a worker that has not told yet is still heard of."""
        return any(
            worker.id not in self._totals and worker.state != STATE_MISSING
            for worker in self._runner.clients.all
        )

    def _end(self, environment: Environment, **_: Any) -> None:  # noqa: ANN401
        self._output.tell("ended", senders=[*self._totals.values()], failures=failures_of(environment))


def _stop_with_the_shape(environment: Environment) -> None:
    """At a shape's end locust would leave before its workers have told everything."""
    shape, runner = environment.shape_class, environment.runner
    if shape is None or runner is None:
        return
    tick = shape.tick

    def tick_and_stop() -> Any:  # noqa: ANN401 - what a shape of the user's returns
        users = tick()
        if users is None:
            runner.stop()
        return users

    shape.tick = tick_and_stop  # type: ignore[method-assign]
