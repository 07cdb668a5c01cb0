"""A worker process of an open loop: nothing else runs in its interpreter that could hold up a request.

`python -m loadtest.engines.builtin.worker FILE`, the open file of a socket on which it is told its job.
Ends when the other end does. Leaves out samples: it sends rows of numbers.
"""

import asyncio
import os
import socket
import sys
import time
from array import array

import msgspec
import uvloop

from loadtest.engines.builtin.gc_watch import watched_gc
from loadtest.engines.builtin.messages import Ended, Job, Ready, RowBuffer, Rows, Start, framed, receive
from loadtest.engines.builtin.sender import Pool, Sender
from loadtest.engines.client import Client

_TELL_EVERY_S = 0.1
_ORPHANED = 1


def main(file: str) -> None:
    uvloop.run(_work(socket.socket(fileno=int(file))))


async def _work(connection: socket.socket) -> None:
    reader, writer = await asyncio.open_unix_connection(sock=connection)
    job = await receive(reader, msgspec.msgpack.Decoder(Job))
    pool = _pool(job)
    await pool.open(job.requests)
    writer.write(framed(Ready()))
    start = await receive(reader, msgspec.msgpack.Decoder(Start))
    orphaned = asyncio.create_task(_end_with(reader))
    writer.write(framed(await _send(job, pool, start, writer)))
    await writer.drain()
    pool.close()
    orphaned.cancel()
    writer.close()


def _pool(job: Job) -> Pool:
    loop = asyncio.get_running_loop()
    return Pool(
        lambda: Client(loop=loop, address=job.address, port=job.port, timeout_s=job.timeout_s),
        ready=job.ready_connections,
        most=job.most_connections,
    )


async def _send(job: Job, pool: Pool, start: Start, writer: asyncio.StreamWriter) -> Ended:
    rows = RowBuffer()
    sender = Sender(
        pool,
        job.requests,
        array("q", job.intended_ns),
        array("H", job.host_numbers),
        rows.append,
    )
    with watched_gc() as gc_watch:
        telling = asyncio.create_task(_tell(rows, writer))
        cpu_before_s = time.process_time()
        await sender.run(start.window_start_ns)
        cpu_s = time.process_time() - cpu_before_s
        telling.cancel()
    writer.write(framed(Rows(rows=rows.take())))
    return Ended(
        cpu_s=cpu_s,
        connections_opened=pool.connections_opened,
        dropped_requests=sender.dropped_requests,
        gc_pauses=gc_watch.pauses,
    )


async def _tell(rows: RowBuffer, writer: asyncio.StreamWriter) -> None:
    while True:
        await asyncio.sleep(_TELL_EVERY_S)
        writer.write(framed(Rows(rows=rows.take())))


async def _end_with(reader: asyncio.StreamReader) -> None:
    """Nobody is left to take what is measured: at once, for requests would go on being sent."""
    await reader.read()
    os._exit(_ORPHANED)


if __name__ == "__main__":
    main(*sys.argv[1:])
