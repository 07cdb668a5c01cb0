"""Reading the answers of one HTTP/1.1 connection and judging them, without doing any input or output.

Leaves out connections and time: who feeds the bytes decides about closing and time-outs. Pipelining is left
out as well: one request, one answer.
"""

from typing import NamedTuple

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from loadtest.sample import ErrorClass

# A head larger than this is no answer of a web service; it would only fill the memory.
_HEAD_LIMIT_BYTES = 256 * 1024
# How much more than the expected body is kept, so that white space around it does not count as wrong.
_BODY_MARGIN_BYTES = 64 * 1024

# The real answer follows these. 101 is not among them: no other protocol is ever asked for.
_INTERIM_STATUSES = frozenset(range(100, 200)) - {101}
_STATUS_ERRORS = {3: ErrorClass.HTTP_3XX, 4: ErrorClass.HTTP_4XX, 5: ErrorClass.HTTP_5XX}


class Answer(NamedTuple):
    """What came back for one request: `body` is what was kept of it, `body_bytes` how long it was."""

    status: int | None
    body_bytes: int
    body: bytes
    error: ErrorClass | None


def room_for(body: bytes, expected: bytes) -> int:
    """How many bytes more are worth keeping: what comes after them is only counted."""
    return len(expected) + _BODY_MARGIN_BYTES - len(body)


def answer_error(status: int, body: bytes, expected: bytes, *, body_bytes: int) -> ErrorClass | None:
    """What is wrong with a whole answer; None where nothing is. One not kept whole is too long."""
    right = body_bytes == len(body) and body.strip() == expected
    return status_error(status) or (None if right else ErrorClass.WRONG_BODY)


def status_error(status: int) -> ErrorClass | None:
    return _STATUS_ERRORS.get(status // 100)


class ResponseReader:
    """Takes a connection's bytes as they come and knows when the answer to the one open request is whole."""

    def __init__(self) -> None:
        self._parser = HttpResponseParser(self)
        self._broken = False
        self._keep_alive = True
        self.expect(b"")

    def expect(self, body: bytes) -> None:
        """A request was sent whose right answer has this body, surrounding white space dropped."""
        self._expected = body
        self._status: int | None = None
        self._body = b""
        self._body_bytes = 0
        self._head_bytes = 0
        self._framed = False
        self._head_done = False
        self.whole = False

    def feed(self, data: bytes) -> bool:
        """Take the bytes; true when the request is answered, be it with something that is not HTTP."""
        if not self._head_done:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            self._broken = True
        if not self._head_done and self._head_bytes > _HEAD_LIMIT_BYTES:
            self._broken = True
        return self.whole or self._broken

    def end(self) -> Answer:
        """The connection ended: that is how a body of no stated length ends; anything else it cuts."""
        if self._head_done and not self._framed and not self._broken:
            self.whole = True
        return self.answer()

    def answer(self) -> Answer:
        return self._as_answer(self._error())

    @property
    def reusable(self) -> bool:
        """Whether the connection may carry a further request."""
        return self.whole and self._keep_alive and not self._broken

    def cut_short(self, error: ErrorClass) -> Answer:
        """What came before the request was given up."""
        return self._as_answer(error)

    def _as_answer(self, error: ErrorClass | None) -> Answer:
        return Answer(self._status, self._body_bytes, self._body, error)

    def _error(self) -> ErrorClass | None:
        if self._broken:
            return ErrorClass.PROTOCOL
        if not self.whole or self._status is None:
            return ErrorClass.CLOSED
        return answer_error(self._status, self._body, self._expected, body_bytes=self._body_bytes)

    # Called by the parser.

    def on_message_begin(self) -> None:
        if self.whole:
            raise HttpParserError("more than was asked for: what belongs to which request cannot be told")

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() in (b"content-length", b"transfer-encoding"):
            self._framed = True

    def on_headers_complete(self) -> None:
        self._head_done = True
        self._status = self._parser.get_status_code()
        if not 100 <= self._status <= 599:
            raise HttpParserError(f"there is no status {self._status}")

    def on_body(self, data: bytes) -> None:
        self._body_bytes += len(data)
        self._body += data[: room_for(self._body, self._expected)]

    def on_message_complete(self) -> None:
        if self._status in _INTERIM_STATUSES:
            self.expect(self._expected)
            return
        self._keep_alive = self._parser.should_keep_alive()
        self.whole = True
