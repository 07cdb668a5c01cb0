"""An app that uses what it is asked to, and tells what it used; it runs in a pod, on Python alone.

By its own clock and its own kernel's counters, which are none of those that the report is made of.
"""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

_BLOCK = bytes(65_536)
_held: list[bytearray] = []


def _counters() -> dict[str, float]:
    columns = next(line for line in Path("/proc/net/dev").read_text().splitlines() if "eth0:" in line).split()
    return {
        "cpu_s": time.process_time(),
        "unix_s": time.time(),
        "received_bytes": int(columns[1]),
        "transmitted_bytes": int(columns[9]),
    }


def _burn(cpu_s: float) -> None:
    end_s = time.thread_time() + cpu_s
    while time.thread_time() < end_s:
        pass


def _hold(memory_bytes: int, duration_s: float) -> None:
    """Of ones, as the kernel gives no memory for noughts before they are written."""
    _held.append(bytearray(b"\1") * memory_bytes)
    threading.Timer(duration_s, _held.clear).start()


class _Burner(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        amounts = dict(parse_qsl(asked.query))
        if asked.path == "/burn":
            _burn(float(amounts["cpu_s"]))
        if asked.path == "/hold":
            _hold(int(amounts["bytes"]), float(amounts["duration_s"]))
        if asked.path == "/send":
            self._answer_blocks(int(amounts["blocks"]))
        else:
            self._answer(json.dumps(_counters()).encode() if asked.path == "/counters" else b"burner")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(b"burner")

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _answer_blocks(self, blocks: int) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(blocks * len(_BLOCK)))
        self.end_headers()
        for _ in range(blocks):
            self.wfile.write(_BLOCK)

    def log_message(self, format: str, *args: object) -> None:
        pass


ThreadingHTTPServer(("", 8080), _Burner).serve_forever()
