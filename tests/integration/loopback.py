"""A small HTTP server on a free loopback port: a test decides its answers, it remembers what it was asked."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True, kw_only=True)
class Asked:
    path: str
    parameters: dict[str, str]
    headers: dict[str, str]
    method: str
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Answer:
    """`delay_s` is waited before anything is sent."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    delay_s: float = 0.0


Respond = Callable[[Asked], Answer]


@dataclass(kw_only=True)
class LoopbackServer:
    port: int
    asked: list[Asked] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def loopback_server(respond: Respond, tls: ssl.SSLContext | None = None) -> Iterator[LoopbackServer]:
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            parameters = {name: values[0] for name, values in parse_qs(parts.query).items()}
            asked = Asked(
                path=parts.path,
                parameters=parameters,
                headers=dict(self.headers.items()),
                method=self.command,
                body=self.rfile.read(int(self.headers.get("Content-Length", 0))),
            )
            served.asked.append(asked)
            answer = respond(asked)
            over.wait(answer.delay_s)
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        do_PATCH = do_GET  # noqa: N815  # so the base class wants it

        def log_message(self, format: str, *args: object) -> None:
            """Tests' output is not the place for it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    served = LoopbackServer(port=server.server_port)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield served
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join()
