"""A TCP server on a free loopback port whose every byte a test decides, so that it can break every rule."""

import asyncio
import socket
import struct
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


class Peer:
    """The server's end of one connection."""

    def __init__(
        self, server: "RawServer", reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.server = server
        self._reader = reader
        self._writer = writer

    async def request(self) -> str | None:
        """The next request's Host, or None where the client has closed."""
        try:
            head = await self._reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        host = next(
            line[5:].strip() for line in head.decode().split("\r\n") if line.lower().startswith("host:")
        )
        self.server.requests.append(host)
        return host

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def answer(self, body: bytes, *, status: int = 200, headers: str = "") -> None:
        head = f"HTTP/1.1 {status} Status\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
        await self.send(head.encode() + body)

    def reset(self) -> None:
        """End the connection as a crashed process does."""
        raw = self._writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def hang(self) -> None:
        await asyncio.sleep(3600)

    def close(self) -> None:
        self._writer.close()


Behaviour = Callable[[Peer], Awaitable[None]]


@dataclass(kw_only=True)
class RawServer:
    """`requests` are the hosts asked for, in the order of arrival."""

    port: int = 0
    requests: list[str] = field(default_factory=list)
    connections: int = 0
    open_connections: int = 0
    stop_listening: Callable[[], None] = field(init=False)


@contextmanager
def raw_server(behaviour: Behaviour) -> Iterator[RawServer]:
    """Serves every connection by `behaviour`, in a thread of its own; connections end when that returns."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = RawServer()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        server.open_connections += 1
        peer = Peer(server, reader, writer)
        try:
            await behaviour(peer)
        except (ConnectionError, asyncio.CancelledError):
            pass  # the client left, or the test is over
        finally:
            peer.close()
            server.open_connections -= 1

    async def stop() -> None:
        for _ in range(10):  # turns of the loop; asyncio loses a connection that is accepted while it closes
            await asyncio.sleep(0)
        listener.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    listener = asyncio.run_coroutine_threadsafe(
        asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024), loop
    ).result()
    server.stop_listening = listener.close
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
