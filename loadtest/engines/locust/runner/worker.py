"""One of several processes that send for a master: hands its records over in batches, its totals at the end.

Its clock agrees with the master's as far as a message's way back and forth tells.
"""

import sys
from dataclasses import asdict
from time import perf_counter_ns
from typing import Any

import gevent
from locust.event import Events
from locust.rpc import Message
from locust.runners import WorkerRunner

from loadtest.engines.locust.runner.job import Job
from loadtest.engines.locust.runner.records import Clock
from loadtest.engines.locust.runner.sender import Sender

_FLUSH_S = 0.2
_ASK_AGAIN_S = 0.1
_ANSWERS = 5


class Worker:
    def __init__(self, events: Events, job: Job) -> None:
        self._clock = Clock()
        self._batch: list[str] = []
        self._answers = 0
        self._clock_facts: dict[str, int | None] = {"clock_ahead_ns": None, "clock_uncertainty_ns": None}
        self._shortest_way_ns = sys.maxsize
        self._sender = Sender(events, self._clock, self._batch.append)
        events.init.add_listener(self._connected)
        events.test_stop.add_listener(self._stopped)

    def _connected(self, runner: WorkerRunner, **_: Any) -> None:  # noqa: ANN401 - locust's events pass much
        self._runner = runner
        runner.register_message("clock", self._hear_clock)
        runner.greenlet.spawn(self._ask_for_the_clock)
        runner.greenlet.spawn(self._flush_again_and_again)

    def _stopped(self, **_: Any) -> None:  # noqa: ANN401
        """After the last request of the last user; what is sent in here arrives before all that follows."""
        self._flush()
        self._runner.send_message("totals", {**asdict(self._sender.totals()), **self._clock_facts})

    def _flush_again_and_again(self) -> None:
        while True:
            gevent.sleep(_FLUSH_S)
            self._flush()

    def _flush(self) -> None:
        if self._batch:
            records = "\n".join(self._batch)
            self._batch.clear()
            self._runner.send_message("records", {"records": records})

    def _ask_for_the_clock(self) -> None:
        while self._answers < _ANSWERS:
            self._runner.send_message("clock", {"asked_ns": perf_counter_ns()})
            gevent.sleep(_ASK_AGAIN_S)

    def _hear_clock(self, msg: Message, **_: Any) -> None:  # noqa: ANN401
        way_ns = perf_counter_ns() - msg.data["asked_ns"]
        self._answers += 1
        if way_ns < self._shortest_way_ns:
            self._shortest_way_ns = way_ns
            ahead_ns = self._clock.agree(msg.data["asked_ns"] + way_ns // 2, msg.data["unix_ns"])
            self._clock_facts = {"clock_ahead_ns": ahead_ns, "clock_uncertainty_ns": way_ns // 2}
