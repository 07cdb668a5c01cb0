"""Why a request of locust's failed, as one of the error classes that all engines share.

Handed over as text: the enum itself is in a package that a worker's pod does not have.
"""

import socket
from errno import EADDRNOTAVAIL, EHOSTUNREACH, ENETUNREACH
from http.client import HTTPException, RemoteDisconnected

from gevent import Timeout
from geventhttpclient.response import HTTPConnectionClosed, HTTPParseError
from requests import exceptions as of_requests
from urllib3.exceptions import NewConnectionError

_TIMEOUT = (Timeout, TimeoutError, of_requests.Timeout)
_CONNECT = (ConnectionRefusedError, socket.gaierror, NewConnectionError)
_UNREACHABLE = {EADDRNOTAVAIL, EHOSTUNREACH, ENETUNREACH}
_CLOSED = (
    ConnectionError,
    RemoteDisconnected,
    HTTPConnectionClosed,
    of_requests.ConnectionError,
    of_requests.ChunkedEncodingError,
)
# How geventhttpclient's parser words a connection that ends too early; it has one class for everything.
_CUT_SHORT = ("Invalid EOF state", "Incomplete response.")
_PROTOCOL = (HTTPException, of_requests.RequestException)


def error_class(exception: BaseException | None, status: int | None) -> str | None:
    """`status` is None where no status line came. What a user's own check refused is a wrong body."""
    if exception is None:
        return None
    cause = getattr(exception, "original", exception)  # of the error that says there was no second try
    if isinstance(cause, _TIMEOUT):
        return "timeout"
    if isinstance(cause, _CONNECT) or getattr(cause, "errno", None) in _UNREACHABLE:
        return "connect"
    if isinstance(cause, HTTPParseError) and cause.args[:1] and cause.args[0] in _CUT_SHORT:
        return "closed"
    if isinstance(cause, _CLOSED):
        return "closed"
    return _of_an_answer(cause, status)


def _of_an_answer(cause: BaseException, status: int | None) -> str:
    if status is None or not 100 <= status <= 599:
        return "protocol"
    if status >= 300:
        return f"http_{status // 100}xx"
    return "protocol" if isinstance(cause, _PROTOCOL) or status < 200 else "wrong_body"
