"""An app with a fault on demand, each replica for itself; it runs in a pod, on Python alone.

`/become/<fault>/<answers>` gives that fault to the replica that is asked, after so many right answers, and is
answered with the replica's name. The kubelet's probes are always answered rightly: the fault is the clients'.
"""

import os
import signal
import socket
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

RIGHT, SLOW, FAILING, WRONG, CRASHED = "right", "slow", "failing", "wrong", "crashed"
SLOW_S = 0.8


class _Faulty(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fault = RIGHT
    right_answers = 0

    def do_GET(self) -> None:
        path = self.path.split("/")
        if path[1] == "become":
            type(self).fault, type(self).right_answers = path[2], int(path[3])
            self._answer(200, socket.gethostname())
        elif "kube-probe" in self.headers.get("User-Agent", ""):
            self._answer(200, RIGHT)
        else:
            self._answer_client()

    def _answer_client(self) -> None:
        type(self).right_answers -= 1
        fault = RIGHT if self.right_answers >= 0 else self.fault
        if fault == CRASHED:
            os._exit(1)
        if fault == SLOW:
            time.sleep(SLOW_S)
        self._answer(503 if fault == FAILING else 200, WRONG if fault == WRONG else RIGHT)

    def _answer(self, status: int, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        """A pod's log is for what went wrong."""


if __name__ == "__main__":
    # The first process of a container ignores what it does not handle.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    ThreadingHTTPServer(("", int(sys.argv[1])), _Faulty).serve_forever()
