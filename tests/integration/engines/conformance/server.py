"""A loopback server in a process of its own that answers as it was told and remembers what it did.

Every answer is longer than the one before by one character of white space, which does not count as wrong: so
each sample of an engine says by the length of its body which answer it is of.

`python -m tests.integration.engines.conformance.server` is the server's side; `serving` starts it.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import msgspec

# What is under way of connections that were closed is given this time to arrive.
_LAST_CLOSINGS_S = 1.0

RIGHT = "right"
# What an answer can be besides right, in the words that `Handling.fault` has.
GONE = "gone"
FAULTS = ("404", "503", "wrong body", "cut", "hang")


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """`faults` follow each other and begin again, after so many right answers that no warm-up sees one."""

    body: str
    latency_s: float
    faults: Sequence[str] = (RIGHT,)
    right_at_first: int = 30


@dataclass(frozen=True, kw_only=True)
class Handling:
    """One request as the server saw it; `body_bytes` is what it sent of a body."""

    host: str
    fault: str
    arrived_unix_ns: int
    answered_unix_ns: int | None
    body_bytes: int
    under_way: int


@dataclass(frozen=True, kw_only=True)
class Account:
    """Everything a server did; `handlings` in the order of arrival."""

    handlings: tuple[Handling, ...]
    connections: int
    open_connections: int


@dataclass(kw_only=True)
class Server:
    """`account` is there once the server has ended."""

    port: int
    account: Account | None = None
    _process: subprocess.Popen[str] = field(repr=False)

    @property
    def pid(self) -> int:
        return self._process.pid

    def end(self) -> Account:
        if self.account is None:
            said, _ = self._process.communicate(timeout=10)
            self.account = msgspec.json.decode(said.splitlines()[-1], type=Account)
        return self.account


@contextmanager
def serving(behaviours: Mapping[str, Behaviour]) -> Iterator[Server]:
    process = subprocess.Popen(
        (sys.executable, "-m", "tests.integration.engines.conformance.server"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdin
    assert process.stdout
    process.stdin.write(json.dumps({host: asdict(one) for host, one in behaviours.items()}) + "\n")
    process.stdin.flush()
    server = Server(port=int(process.stdout.readline()), _process=process)
    try:
        yield server
    finally:
        server.end()


class _Accounting:
    def __init__(self, behaviours: Mapping[str, Behaviour]) -> None:
        self.behaviours = behaviours
        self.handlings: list[dict[str, Any]] = []
        self.listener: asyncio.Server
        self.of_host: Counter[str] = Counter()
        self.under_way = self.connections = 0
        self.open: set[Any] = set()

    def go_away(self) -> None:
        """As a program that is killed does: nobody listens any more, and no connection stands."""
        self.listener.close()
        for transport in self.open:
            transport.abort()


class _Connection(asyncio.Protocol):
    """One request at a time, as HTTP/1.1 without pipelining has it."""

    def __init__(self, accounting: _Accounting) -> None:
        self._accounting = accounting
        self._head = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._accounting.connections += 1
        self._accounting.open.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._accounting.open.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        arrived_unix_ns = time.time_ns()
        self._head += data
        if not self._head.endswith(b"\r\n\r\n"):
            return
        host = next(
            line[5:].strip().decode()
            for line in self._head.split(b"\r\n")
            if line.lower().startswith(b"host:")
        )
        self._head = b""
        self._handle(host, arrived_unix_ns)

    def _handle(self, host: str, arrived_unix_ns: int) -> None:
        accounting = self._accounting
        behaviour = accounting.behaviours[host]
        number = accounting.of_host[host] - behaviour.right_at_first
        accounting.of_host[host] += 1
        accounting.under_way += 1
        fault = RIGHT if number < 0 else behaviour.faults[number % len(behaviour.faults)]
        handling: dict[str, Any] = {
            "host": host,
            "fault": fault,
            "arrived_unix_ns": arrived_unix_ns,
            "answered_unix_ns": None,
            "body_bytes": 0,
            "under_way": accounting.under_way,
        }
        accounting.handlings.append(handling)
        padding = "\n" * len(accounting.handlings)
        asyncio.get_running_loop().call_later(
            behaviour.latency_s, self._answer, handling, behaviour.body + padding
        )

    def _answer(self, handling: dict[str, Any], body: str) -> None:
        self._accounting.under_way -= 1
        fault = handling["fault"]
        if fault == "hang":
            return
        if fault == GONE:
            self._accounting.go_away()
            return
        if fault == "wrong body":
            body = body.upper()
        status = fault if fault in ("404", "503") else "200"
        sent = body[: len(body) // 2] if fault == "cut" else body
        head = f"HTTP/1.1 {status} Status\r\nContent-Length: {len(body)}\r\n\r\n"
        # Before it is sent: what comes after may be long in coming, where the client gets its turn first.
        handling |= {"answered_unix_ns": time.time_ns(), "body_bytes": len(sent)}
        self._transport.write((head + sent).encode())
        if fault == "cut":
            self._transport.close()


async def _serve(behaviours: Mapping[str, Behaviour]) -> None:
    accounting = _Accounting(behaviours)
    loop = asyncio.get_running_loop()
    accounting.listener = await loop.create_server(
        lambda: _Connection(accounting), "127.0.0.1", 0, backlog=1024
    )
    print(accounting.listener.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)  # to the end of the test
    until_s = time.monotonic() + _LAST_CLOSINGS_S
    while accounting.open and time.monotonic() < until_s:
        await asyncio.sleep(0.01)
    account = {
        "handlings": accounting.handlings,
        "connections": accounting.connections,
        "open_connections": len(accounting.open),
    }
    print(json.dumps(account), flush=True)


if __name__ == "__main__":
    asyncio.run(_serve(msgspec.json.decode(sys.stdin.readline(), type=dict[str, Behaviour])))
