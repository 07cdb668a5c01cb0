"""What a locust process prints, read: samples as they come, and at the end what it says of itself."""

from collections import Counter
from collections.abc import Callable, Iterable

import msgspec

from loadtest.errors import InconclusiveError
from loadtest.sample import Arm, ErrorClass, LoadWindow, Sample

_Record = tuple[str, int, int, int, int | None, int, ErrorClass | None]


class SenderTotals(msgspec.Struct, frozen=True):
    """A worker's clock goes with its master's; `clock_ahead_ns` is how far it was off before."""

    requests: int
    cpu_s: float
    connections_opened: int
    untimed: int = 0  # told of as requests, but not how long they took
    clock_ahead_ns: int | None = None
    clock_uncertainty_ns: int | None = None


class Failure(msgspec.Struct, frozen=True):
    """What tasks raised that was no failed request."""

    count: int
    message: str


class Started(msgspec.Struct, frozen=True, tag_field="event", tag="started"):
    unix_ns: int


class Ended(msgspec.Struct, frozen=True, tag_field="event", tag="ended"):
    senders: tuple[SenderTotals, ...]
    failures: tuple[Failure, ...]


class Reading:
    """Takes line after line. `ended` is None as long as the load goes on, and where it was cut short."""

    def __init__(
        self, on_sample: Callable[[Sample], None], on_window: Callable[[], None], *, senders: int
    ) -> None:
        self._senders = senders
        self.ended: Ended | None = None
        self.hosts: Counter[str] = Counter()
        self._on_sample = on_sample
        self._on_window = on_window
        self._record = msgspec.json.Decoder(_Record)
        self._event = msgspec.json.Decoder(Started | Ended)
        self._started_ns = self._last_end_ns = 0

    @property
    def window(self) -> LoadWindow:
        return LoadWindow(started_unix_ns=self._started_ns, ended_unix_ns=self._last_end_ns)

    def take(self, lines: Iterable[bytes]) -> None:
        """Raises InconclusiveError where not every request that was sent has its record."""
        for line in lines:
            if not line.endswith(b"\n"):  # what locust was printing when it was ended
                continue
            if line.startswith(b"["):
                self._sample(self._record.decode(line))
            else:
                self._take_event(self._event.decode(line))

    def _take_event(self, event: Started | Ended) -> None:
        if isinstance(event, Started):
            self._started_ns = self._last_end_ns = event.unix_ns
            self._on_window()
            return
        self.ended = event
        if len(event.senders) != self._senders:
            raise InconclusiveError(
                f"{len(event.senders)} of {self._senders} locust workers told at the end what they sent",
                hint="The others died or were lost on the way: are they short of memory?",
            )
        sent, arrived = sum(one.requests for one in event.senders), self.hosts.total()
        if sent != arrived:
            raise InconclusiveError(
                f"locust sent {sent} requests, records of {arrived} arrived", hint="Run the load again."
            )

    def _sample(self, record: _Record) -> None:
        host, intended_ns, started_ns, latency_ns, status, body_bytes, error = record
        self.hosts[host] += 1
        self._last_end_ns = max(self._last_end_ns, started_ns + latency_ns)
        self._on_sample(
            Sample(
                arm=Arm.HEAD,
                round=1,
                host=host,
                intended_start_ns=intended_ns - self._started_ns,
                actual_start_ns=started_ns - self._started_ns,
                latency_ns=latency_ns,
                status=status,
                body_bytes=body_bytes,
                error=error,
            )
        )
