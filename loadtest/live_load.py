"""The load while it runs, in a line: how far it is, its rate, its percentiles and errors so far.

Fed with whole parts of samples in the thread that writes them, so that sending waits for none of it.
Percentiles are of a histogram, 2 % apart: the report's are exact. Leaves out where the line is shown.
"""

import time
from collections.abc import Callable

import numpy as np

from loadtest.plan import ClosedLoop, Profile
from loadtest.report import figures
from loadtest.sample_columns import SampleColumns

_BINS_PER_DOUBLING = 32
_BINS = 64 * _BINS_PER_DOUBLING
_NS_PER_MS = 1_000_000
_NS_PER_S = 1_000_000_000


class LiveLoad:
    """`show` is called for each part."""

    def __init__(
        self, profile: Profile, show: Callable[[str], None], clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._profile, self._show, self._clock_s = profile, show, clock_s
        self._began_s: float | None = None
        self._last_s, self._last_requests = 0.0, 0
        self._requests = self._right = 0
        self._histogram = np.zeros(_BINS, dtype=np.int64)

    def begin(self) -> None:
        """The window begins; where an engine cannot tell, this comes late or not before the first samples."""
        if self._began_s is None:
            self._began_s = self._clock_s()

    def add(self, rows: SampleColumns) -> None:
        if len(rows):
            self.begin()
            latencies_ns = rows.right_latencies_ns()
            self._requests += len(rows)
            self._right += len(latencies_ns)
            bins = (np.log2(np.maximum(latencies_ns, 1)) * _BINS_PER_DOUBLING).astype(np.int64)
            self._histogram += np.bincount(bins, minlength=_BINS)
        if self._began_s is not None:
            elapsed_s = self._until_s(rows, self._clock_s() - self._began_s)
            self._show(self._words(elapsed_s))
            self._last_s, self._last_requests = elapsed_s, self._requests

    def _until_s(self, rows: SampleColumns, now_s: float) -> float:
        """What is told is of the time until then: the last part comes some time after the load's end."""
        if not len(rows):
            return now_s
        return max(self._last_s, min(now_s, rows.last_end_ns() / _NS_PER_S))

    def _words(self, elapsed_s: float) -> str:
        lately_s = elapsed_s - self._last_s
        rate_rps = (self._requests - self._last_requests) / lately_s if lately_s > 0 else None
        failed = self._requests - self._right
        parts = (
            self._how_far(elapsed_s),
            f"{figures.number(rate_rps)} req/s",
            *(f"p{percent} {self._percentile(percent)}" for percent in (50, 95)),
            f"{failed:,} {'error' if failed == 1 else 'errors'}",
            self._left(elapsed_s),
        )
        return " · ".join(filter(None, parts))

    def _how_far(self, elapsed_s: float) -> str:
        planned = self._profile.planned_requests
        of_planned = f"/{planned:,}" if planned else ""
        return f"{elapsed_s:.0f} s · {self._requests:,}{of_planned} requests"

    def _percentile(self, percent: int) -> str:
        if not self._right:
            return figures.NOT_SHOWN
        place = int(np.searchsorted(np.cumsum(self._histogram), self._right * percent / 100))
        return figures.milliseconds(2 ** ((place + 0.5) / _BINS_PER_DOUBLING) / _NS_PER_MS)

    def _left(self, elapsed_s: float) -> str:
        """By the plan's time, else by the pace so far; nothing where neither can tell."""
        if not isinstance(self._profile, ClosedLoop):
            duration_s = self._profile.duration_s
        elif self._requests:
            duration_s = elapsed_s * self._profile.requests / self._requests
        else:
            duration_s = None
        return "" if duration_s is None else f"{max(0.0, duration_s - elapsed_s):.0f} s left"
