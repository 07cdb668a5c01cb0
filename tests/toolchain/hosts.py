"""Loopback servers that behave as download hosts do, well and badly."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass(kw_only=True)
class FileHost:
    """What a host holds, how it misbehaves, and what it was asked for."""

    files: dict[str, bytes] = field(default_factory=dict)
    cut_after_bytes: int | None = None
    """Close the connection after so many bytes of a body, whatever the announced length."""
    ranges: bool = True
    body_pause_s: float = 0.0
    """Send a body byte by byte, with a pause after each."""
    refusals: list[int] = field(default_factory=list)
    """Answer the next requests for a file with these codes, one each."""
    garbled: bool = False
    """Answer requests for a file with what is no HTTP."""
    silent_after_headers: bool = False
    """Announce a body and send none of it."""
    silent_for_get: bool = False
    """Answer that the host is there, and then nothing more."""
    asked: list[str] = field(default_factory=list)
    port: int = 0

    def refusal(self, name: str) -> int | None:
        """The code that a request for the file is answered with, if it is not to have it."""
        if self.refusals:
            return self.refusals.pop(0)
        return None if name in self.files else 404

    def pieces(self, body: bytes) -> tuple[bytes, ...]:
        """What is sent at once."""
        return tuple(body[i : i + 1] for i in range(len(body))) if self.body_pause_s else (body,)

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/{name}"


@contextmanager
def file_host(**settings: object) -> Iterator[FileHost]:
    host = FileHost(**settings)  # type: ignore[arg-type]

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(200)
            self.end_headers()

        def do_GET(self) -> None:
            name = self.path.lstrip("/")
            wanted_range = self.headers.get("Range")
            host.asked.append(f"{name} {wanted_range}" if wanted_range else name)
            if host.silent_for_get or host.garbled:
                self.close_connection = True
                self.wfile.write(b"garbage\r\n") if host.garbled else stopping.wait()
                return
            if refusal := host.refusal(name):
                self.send_error(refusal)
                return
            content, start = host.files[name], 0
            if wanted_range and host.ranges:
                start = int(wanted_range.removeprefix("bytes=").rstrip("-"))
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            if host.silent_after_headers:
                stopping.wait()
                return
            body = content[start:][: host.cut_after_bytes]
            for piece in host.pieces(body):
                self.wfile.write(piece)
                if stopping.wait(host.body_pause_s):
                    return
            self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            return

    stopping = threading.Event()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    host.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield host
    finally:
        stopping.set()
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def dribbling_host() -> Iterator[int]:
    """A port that answers with a byte now and then and never comes to an end."""
    stopping = threading.Event()
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        listener.settimeout(0.05)

        def serve() -> None:
            taken: list[socket.socket] = []
            while not stopping.is_set():
                with suppress(TimeoutError):
                    taken.append(listener.accept()[0])
                for connection in taken:
                    with suppress(OSError):
                        connection.send(b"H")
            for connection in taken:
                connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            stopping.set()
            thread.join()


@contextmanager
def silent_host() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield listener.getsockname()[1]
