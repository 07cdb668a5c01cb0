"""What an open loop and its worker processes say to each other, and how it goes over a socket.

Samples go as rows of eight whole numbers, many at a time: an object for each would cost more than sending it.
"""

import asyncio
import struct
from array import array
from collections.abc import Iterator
from typing import TypeVar

import msgspec

from loadtest.engines.exchange import Exchange, Request
from loadtest.engines.response import Answer
from loadtest.load_run import GcPauses
from loadtest.sample import ErrorClass

_LENGTH = struct.Struct("!I")
_ERRORS = tuple(ErrorClass)
_NONE = -1
_ROW_NUMBERS = 8


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A worker's share: the first thing it is told. The times are int64, the host numbers uint16."""

    address: str
    port: int
    timeout_s: float
    ready_connections: int
    most_connections: int
    requests: tuple[Request, ...]
    intended_ns: bytes
    host_numbers: bytes


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """The window's first moment, by the clock that all processes of a machine share."""

    window_start_ns: int


class Ready(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Every connection was tried once. Whether it stands is not looked at: the window shows it."""


class Rows(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    rows: bytes


class Ended(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """After the last rows."""

    cpu_s: float
    connections_opened: int
    dropped_requests: int
    gc_pauses: GcPauses


FromWorker = Ready | Rows | Ended
_Message = TypeVar("_Message")


def framed(message: msgspec.Struct) -> bytes:
    body = msgspec.msgpack.encode(message)
    return _LENGTH.pack(len(body)) + body


async def receive(reader: asyncio.StreamReader, decoder: msgspec.msgpack.Decoder[_Message]) -> _Message:
    """Raises asyncio.IncompleteReadError where the other side is gone."""
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    return decoder.decode(await reader.readexactly(length))


class RowBuffer:
    """Rows of exchanges, in the order they ended."""

    def __init__(self) -> None:
        self._numbers = array("q")

    def append(self, number: int, exchange: Exchange) -> None:
        started_ns, ended_ns, answer, connect_ns, first_byte_ns = exchange
        self._numbers.extend(
            (
                number,
                started_ns,
                ended_ns,
                _NONE if connect_ns is None else connect_ns,
                _NONE if first_byte_ns is None else first_byte_ns,
                answer.status or _NONE,
                answer.body_bytes,
                _NONE if answer.error is None else _ERRORS.index(answer.error),
            )
        )

    def take(self) -> bytes:
        rows = self._numbers.tobytes()
        del self._numbers[:]
        return rows


def read_rows(rows: bytes) -> Iterator[tuple[int, Exchange]]:
    """Each exchange with its number in the worker's share; of its body there is the length alone."""
    numbers = iter(memoryview(rows).cast("q"))
    for number, started_ns, ended_ns, connect_ns, first_byte_ns, status, body_bytes, error in zip(
        *[numbers] * _ROW_NUMBERS, strict=True
    ):
        answer = Answer(_told(status), body_bytes, b"", None if error == _NONE else _ERRORS[error])
        yield number, Exchange(started_ns, ended_ns, answer, _told(connect_ns), _told(first_byte_ns))


def _told(number: int) -> int | None:
    return None if number == _NONE else number
