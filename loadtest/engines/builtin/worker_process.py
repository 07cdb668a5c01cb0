"""A worker as the process has it that started it: told its share, heard out, and gone when it is closed.

That none of its requests is lost on the way or told twice is seen here.
"""

import asyncio
import logging
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Protocol

import msgspec

from loadtest.engines.builtin import worker
from loadtest.engines.builtin.messages import (
    Ended,
    FromWorker,
    Job,
    Ready,
    Rows,
    Start,
    framed,
    read_rows,
    receive,
)
from loadtest.engines.child import Child, own_modules
from loadtest.engines.exchange import Exchange
from loadtest.errors import InconclusiveError, MachineError
from loadtest.schedule import Schedule

logger = logging.getLogger(__name__)

# While it sends, a worker tells ten times a second what became of it, be it nothing.
_SILENCE_MOST_S = 30.0


class Take(Protocol):
    def __call__(self, exchange: Exchange, *, intended_ns: int, host_number: int) -> None: ...


@asynccontextmanager
async def worker_process(share: Schedule) -> AsyncIterator["WorkerProcess"]:
    """There within, and gone at the end of it, whatever it is doing."""
    here, there = socket.socketpair()
    with there:
        command = (sys.executable, "-m", worker.__name__, str(there.fileno()))
        child = Child(command, own_modules(), open_files=(there.fileno(),))
    try:
        reader, writer = await asyncio.open_unix_connection(sock=here)
        try:
            yield WorkerProcess(share, child, reader, writer)
        finally:
            writer.transport.abort()
            with suppress(ConnectionError):
                await writer.wait_closed()
    finally:
        child.close()
        if said := child.said():
            logger.info("a worker said", extra={"text": said})


class WorkerProcess:
    """Asked in this order: `take_up`, `ready`, `start`, `samples`."""

    def __init__(
        self, share: Schedule, child: Child, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.share = share
        self._child = child
        self._reader = reader
        self._writer = writer
        self._decoder = msgspec.msgpack.Decoder(FromWorker)
        self._told = bytearray(len(share))

    def take_up(self, job: Job) -> None:
        self._writer.write(framed(job))

    async def ready(self) -> None:
        """Every connection of its share was tried once."""
        message = await self._message()
        assert isinstance(message, Ready), "the first thing a worker tells"

    def start(self, window_start_ns: int) -> None:
        self._writer.write(framed(Start(window_start_ns=window_start_ns)))

    async def samples(self, take: Take) -> Ended:
        """Hands over what is measured to the end.

        Raises InconclusiveError where the sum is not right, MachineError where the worker tells no more.
        """
        while not isinstance(message := await self._message_in_time(), Ended):
            assert isinstance(message, Rows), "nothing else comes between start and end"
            for number, exchange in read_rows(message.rows):
                self._told[number] += 1
                take(
                    exchange,
                    intended_ns=int(self.share.intended_ns[number]),
                    host_number=int(self.share.host_numbers[number]),
                )
        told = sum(self._told)
        if told + message.dropped_requests != len(self.share) or max(self._told, default=0) > 1:
            raise InconclusiveError(
                f"of {len(self.share)} requests that were due a worker told {told} "
                f"and dropped {message.dropped_requests}",
                hint="Run the load again.",
            )
        return message

    async def _message_in_time(self) -> FromWorker:
        try:
            async with asyncio.timeout(_SILENCE_MOST_S):
                return await self._message()
        except TimeoutError as error:
            raise MachineError(
                f"a process that sends the load has told nothing for {_SILENCE_MOST_S:g} s",
                hint="Was it stopped, or the machine out of memory? Run the load again.",
            ) from error

    async def _message(self) -> FromWorker:
        try:
            return await receive(self._reader, self._decoder)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            # Nothing but its end closes the other side: the wait is short.
            raise MachineError(
                f"a process that sends the load ended too early, with exit code {self._child.exit_code()}; "
                "it said last:",
                hint=self._child.said() or "nothing",
            ) from error
