"""A process that sends requests: turns each of them into a record and counts what it did."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gevent.socket
from geventhttpclient import client as http_client
from geventhttpclient.connectionpool import ConnectionPool
from locust.event import Events

from loadtest.engines.locust.runner.records import Clock, record


@dataclass(frozen=True, kw_only=True)
class Totals:
    """Of one process from the first user to the last; `cpu_s` is the whole process's.

    `untimed` are what a locustfile told of as requests without saying how long they took.
    """

    requests: int
    untimed: int
    cpu_s: float
    connections_opened: int


class Sender:
    """Has to be there before the locustfile is loaded, so that its listeners hear of everything first."""

    def __init__(self, events: Events, clock: Clock, write: Callable[[str], None]) -> None:
        self._clock = clock
        self._write = write
        self._requests = self._untimed = self._connections = 0
        self._cpu_before_s = time.process_time()
        _send_once()
        self._count_connections()
        events.test_start.add_listener(self._begin)
        events.request.add_listener(self._requested)

    def totals(self) -> Totals:
        return Totals(
            requests=self._requests,
            untimed=self._untimed,
            cpu_s=time.process_time() - self._cpu_before_s,
            connections_opened=self._connections,
        )

    def _begin(self, **_: Any) -> None:  # noqa: ANN401 - locust's events pass what they like
        self._requests = self._untimed = self._connections = 0
        self._cpu_before_s = time.process_time()

    def _requested(self, **event: Any) -> None:  # noqa: ANN401
        if event.get("response_time") is None:
            self._untimed += 1
            return
        self._requests += 1
        self._write(record(event, self._clock))

    def _count_connections(self) -> None:
        """Of every client a locustfile may use: all of them connect gevent's sockets."""
        connect = gevent.socket.socket.connect

        def counted(socket: gevent.socket.socket, address: Any) -> None:  # noqa: ANN401
            connect(socket, address)
            self._connections += socket.family != gevent.socket.AF_UNIX

        gevent.socket.socket.connect = counted


class _SendingOnce(ConnectionPool):
    """A connection that ends under a request is a fact about the service.

    geventhttpclient would send again until it has tried `size` connections and one more, all as one request.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401
        super().__init__(*arguments, **named)
        self.size = -1


def _send_once() -> None:
    http_client.ConnectionPool = _SendingOnce  # type: ignore[attr-defined]
