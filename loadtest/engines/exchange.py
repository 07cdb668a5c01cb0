"""One request and what came of it, whichever engine sends it."""

import re
from dataclasses import dataclass
from typing import NamedTuple

from loadtest.engines.response import Answer
from loadtest.errors import UsageError
from loadtest.sample import Arm, Sample
from loadtest.target import AppTarget

HEADERS = {"User-Agent": "loadproof", "Accept": "*/*"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    host: str
    path: str
    expected_body: bytes  # white space around it does not count
    head: bytes  # all that is sent where the engine speaks HTTP itself


class Exchange(NamedTuple):
    """One request with its answer; moments are of `time.perf_counter_ns`, the rest as in a sample."""

    started_ns: int
    ended_ns: int
    answer: Answer
    connect_ns: int | None = None
    first_byte_ns: int | None = None

    def sample(self, host: str, *, intended_ns: int, window_start_ns: int) -> Sample:
        return Sample(
            arm=Arm.HEAD,
            round=1,
            host=host,
            intended_start_ns=intended_ns - window_start_ns,
            actual_start_ns=self.started_ns - window_start_ns,
            latency_ns=self.ended_ns - self.started_ns,
            status=self.answer.status,
            body_bytes=self.answer.body_bytes,
            error=self.answer.error,
            connect_ns=self.connect_ns,
            first_byte_ns=self.first_byte_ns,
        )


def request_to(app: AppTarget) -> Request:
    """The request every client sends to this app. Raises UsageError where its host or path cannot be sent."""
    for what, text in (("host", app.host), ("path", app.path)):
        if not re.fullmatch(r"[!-~]+", text):
            raise UsageError(
                f"the {what} {text!r} of app {app.name} cannot stand in an HTTP request",
                hint="Use ASCII letters, digits and signs without white space.",
            )
    headers = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
    return Request(
        host=app.host,
        path=app.path,
        expected_body=app.expected_body.encode().strip(),
        head=f"GET {app.path} HTTP/1.1\r\nHost: {app.host}\r\n{headers}\r\n".encode(),
    )
