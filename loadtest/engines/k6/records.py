"""What k6 writes of each request, read: rows of CSV in, samples out as the requests end.

k6 writes a row for each figure of a request. Those of one request follow each other, and each names the
virtual user it belongs to; what a script says of the answer comes after them and before the user's next
request. Leaves out k6 itself.
"""

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from loadtest.engines.k6.job import WARM_UP_SCENARIO
from loadtest.engines.response import status_error
from loadtest.sample import Arm, ErrorClass, LoadWindow, Sample

# The columns that `k6 run --system-tags` has to name; `metadata` holds vu and iter.
SYSTEM_TAGS = ("check", "error", "error_code", "scenario", "status", "url", "vu", "iter")

_TIME_OUTS = {1050, 1211}
_CONNECTING = range(1010, 1050), range(1100, 1200), range(1210, 1220)
_CLOSING = range(1200, 1210), range(1220, 1230)
_NO_CODE = 1000  # the error's text is all there is


@dataclass(kw_only=True, slots=True)
class _Request:
    """One request of one virtual user, as far as its rows were read; times in milliseconds are k6's."""

    host: str
    ended_unix_ns: int
    status: int
    error: ErrorClass | None
    figures_ms: dict[str, float] = field(default_factory=dict)
    body_bytes: int = 0

    @property
    def latency_ns(self) -> int:
        """From the actual start, so with the wait for a connection that k6 tells apart."""
        figures = self.figures_ms
        told_ms = figures.get("http_req_blocked", 0.0) + figures.get("http_req_duration", 0.0)
        return round((told_ms or figures.get("loadproof_failed_after_ms", 0.0)) * 1e6)

    @property
    def connect_ns(self) -> int | None:
        return round(self.figures_ms.get("http_req_connecting", 0.0) * 1e6) if self.status else None

    @property
    def first_byte_ns(self) -> int | None:
        """k6 tells how long it took from there to the end."""
        transfer_ns = round(self.figures_ms.get("http_req_receiving", 0.0) * 1e6)
        return self.latency_ns - transfer_ns if self.status else None

    @property
    def whole(self) -> bool:
        return "http_req_receiving" in self.figures_ms


class Records:
    """Takes k6's lines. `closed`: a virtual user means to send its next request when it becomes free."""

    def __init__(self, on_sample: Callable[[Sample], None], *, closed: bool) -> None:
        self.requests = self.connections_opened = 0
        self.dropped_requests = 0
        self._on_sample = on_sample
        self._closed = closed
        self._open: dict[str, _Request] = {}
        self._free_ns: dict[str, int] = {}
        self._started_unix_ns = self._last_end_ns = 0

    @property
    def window(self) -> LoadWindow:
        started_ns = self._started_unix_ns
        return LoadWindow(started_unix_ns=started_ns, ended_unix_ns=started_ns + self._last_end_ns)

    def take(self, lines: Iterable[bytes]) -> None:
        """To the end of the lines; what k6 was writing when it was killed is no row."""
        whole_lines = (line.decode(errors="replace") for line in lines if line.endswith(b"\n"))
        for row in csv.DictReader(whole_lines):
            self._take(row)
        for user in list(self._open):
            self._finish(user)

    def _take(self, row: dict[str, str]) -> None:
        metric = row["metric_name"]
        if metric == "http_req_connecting" and float(row["metric_value"]):
            self.connections_opened += 1
        if row["scenario"] in ("", WARM_UP_SCENARIO):  # "": a script's own setup and teardown
            return
        if metric == "dropped_iterations":
            self.dropped_requests += round(float(row["metric_value"]))
            return
        if metric == "loadproof_window_begins":
            self._started_unix_ns = self._started_unix_ns or int(row["timestamp"])
            return
        user = _user(row["metadata"])
        if metric in ("http_reqs", "iteration_duration"):
            self._finish(user)
        if metric == "http_reqs":
            self._open[user] = _request(row)
        elif request := self._open.get(user):
            _add(request, metric, row)

    def _finish(self, user: str) -> None:
        request = self._open.pop(user, None)
        if request is None or not request.whole:
            return
        self.requests += 1
        latency_ns = request.latency_ns
        started_unix_ns = request.ended_unix_ns - latency_ns
        # A script of one's own does not say when the window begins: then it is with the first request that
        # ends, and one that began before it counts as begun at once.
        self._started_unix_ns = self._started_unix_ns or started_unix_ns
        started_ns = max(0, started_unix_ns - self._started_unix_ns)
        intended_ns = min(started_ns, self._free_ns.get(user, 0)) if self._closed else started_ns
        self._free_ns[user] = started_ns + latency_ns
        self._last_end_ns = max(self._last_end_ns, started_ns + latency_ns)
        self._on_sample(
            Sample(
                arm=Arm.HEAD,
                round=1,
                host=request.host,
                intended_start_ns=intended_ns,
                actual_start_ns=started_ns,
                latency_ns=latency_ns,
                status=request.status or None,
                body_bytes=request.body_bytes,
                error=request.error,
                connect_ns=request.connect_ns,
                first_byte_ns=request.first_byte_ns,
            )
        )


def _add(request: _Request, metric: str, row: dict[str, str]) -> None:
    value = float(row["metric_value"])
    if metric == "loadproof_body_bytes":
        request.body_bytes = round(value)
    # A check is how a script says that an answer is not the right one.
    elif metric == "checks" and not value:
        request.error = request.error or ErrorClass.WRONG_BODY
    else:
        request.figures_ms[metric] = value


def _request(row: dict[str, str]) -> _Request:
    status = int(row["status"] or 0)
    return _Request(
        host=_host(row["url"]),
        ended_unix_ns=int(row["timestamp"]),
        status=status,
        error=_error(int(row["error_code"] or 0), row["error"], status),
    )


def _host(url: str) -> str:
    """A script may name its requests as it likes."""
    try:
        return urlsplit(url).hostname or url
    except ValueError:  # brackets that hold no address
        return url


def _error(code: int, text: str, status: int) -> ErrorClass | None:
    if status:
        return status_error(status)
    if code in _TIME_OUTS:
        return ErrorClass.TIMEOUT
    if any(code in codes for codes in _CONNECTING):
        return ErrorClass.CONNECT
    if any(code in codes for codes in _CLOSING) or (code == _NO_CODE and "EOF" in text):
        return ErrorClass.CLOSED
    return ErrorClass.PROTOCOL


def _user(metadata: str) -> str:
    return next(_values("vu", metadata), "")


def _values(name: str, metadata: str) -> Iterator[str]:
    for pair in metadata.split("&"):
        key, _, value = pair.partition("=")
        if key == name:
            yield value
