"""What clients saw of each event, reckoned from the samples. Pure; docs/chaos.md explains every figure.

An event answers for all that was sent until the next one began, or the load ended; those that began within
half a second of each other are one in that. Only the version under test is looked at. Leaves out what the
verdict makes of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from loadtest.chaos.model import ChaosOutcome, Deed, Gap, HostEffect, Pace
from loadtest.sample import Arm, ErrorClass, LoadWindow
from loadtest.stats.percentiles import nearest_rank

RIGHT_AT_LEAST = 10
_SAME_MOMENT_NS = 500_000_000
_ERRORS = [*ErrorClass]
_RIGHT = -1
_SHORTEST_DURING_NS = 10**9
_TOO_EARLY = "it was over before the load's window began"
_TOO_LATE = "it did not come within the load's window"
_NS_PER_S = 1e9
_NS_PER_MS = 1e6


Moments = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Span:
    """What an event answers for; `baseline_ns` is when the first of all began, `lasts_ns` its length."""

    baseline_ns: int
    start_ns: int
    end_ns: int
    lasts_ns: int


@dataclass(frozen=True, kw_only=True)
class Requests:
    """Requests of one host in order of their start; `errors` are places in a list of classes, or _RIGHT."""

    starts_ns: Moments
    latencies_ns: Moments
    errors: Moments

    @property
    def ends_ns(self) -> Moments:
        """When each was answered in full, or had failed."""
        return self.starts_ns + self.latencies_ns

    @property
    def right(self) -> NDArray[np.bool_]:
        return np.equal(self.errors, _RIGHT)

    def where(self, chosen: NDArray[np.bool_]) -> "Requests":
        return Requests(
            starts_ns=self.starts_ns[chosen],
            latencies_ns=self.latencies_ns[chosen],
            errors=self.errors[chosen],
        )


def outcomes(deeds: Sequence[Deed], samples: pa.Table, window: LoadWindow) -> tuple[ChaosOutcome, ...]:
    """One for each deed, in the same order."""
    end_ns = window.ended_unix_ns - window.started_unix_ns
    beginnings_ns = sorted(began_ns for deed in deeds if (began_ns := _in_window(deed, window)) is not None)
    hosts = by_host(samples) if beginnings_ns else {}
    return tuple(_outcome(deed, hosts, window, [*beginnings_ns, end_ns]) for deed in deeds)


def by_host(samples: pa.Table) -> Mapping[str, Requests]:
    tested = samples.filter(pc.equal(samples["arm"], Arm.HEAD)).sort_by("actual_start_ns")
    return {
        host: _requests(tested.filter(pc.equal(tested["host"], host)))
        for host in sorted(tested["host"].unique().to_pylist())
    }


def _requests(samples: pa.Table) -> Requests:
    codes = pc.fill_null(pc.index_in(samples["error"], value_set=pa.array(_ERRORS)), _RIGHT)
    return Requests(
        starts_ns=samples["actual_start_ns"].to_numpy(),
        latencies_ns=samples["latency_ns"].to_numpy(),
        errors=codes.to_numpy(),
    )


def _outcome(
    deed: Deed, hosts: Mapping[str, Requests], window: LoadWindow, bounds_ns: Sequence[int]
) -> ChaosOutcome:
    start_ns = _in_window(deed, window)
    effects: dict[str, HostEffect] = {}
    if start_ns is not None:
        later_ns = (one for one in bounds_ns if one > start_ns + _SAME_MOMENT_NS)
        span = Span(
            baseline_ns=bounds_ns[0],
            start_ns=start_ns,
            end_ns=min(later_ns, default=bounds_ns[-1]),
            lasts_ns=max(0, (deed.undone_unix_ns or 0) - window.started_unix_ns - start_ns),
        )
        effects = {host: host_effect(requests, span) for host, requests in hosts.items()}
    return ChaosOutcome(
        event=deed.event,
        victim=deed.victim,
        at_s=_seconds_between(window.started_unix_ns, deed.began_unix_ns),
        took_s=_seconds_between(deed.began_unix_ns, deed.done_unix_ns),
        over_s=_seconds_between(window.started_unix_ns, deed.undone_unix_ns),
        problem=deed.problem or _beside(deed, window),
        hosts=effects,
    )


def _in_window(deed: Deed, window: LoadWindow) -> int | None:
    """The moment in the load; None where it never came, or beside the load.

    What comes at second 0 comes when the load is about to begin: the load met it from its first moment.
    """
    if deed.began_unix_ns is None or _beside(deed, window):
        return None
    return max(0, deed.began_unix_ns - window.started_unix_ns)


def _beside(deed: Deed, window: LoadWindow) -> str | None:
    """In words, where it happened and the load met nothing of it."""
    if deed.began_unix_ns is not None and deed.began_unix_ns >= window.ended_unix_ns:
        return _TOO_LATE
    if deed.undone_unix_ns is not None and deed.undone_unix_ns <= window.started_unix_ns:
        return _TOO_EARLY
    return None


def _seconds_between(start_unix_ns: int | None, end_unix_ns: int | None) -> float | None:
    if start_unix_ns is None or end_unix_ns is None:
        return None
    return (end_unix_ns - start_unix_ns) / _NS_PER_S


def host_effect(requests: Requests, span: Span) -> HostEffect:
    starts_ns, ends_ns = requests.starts_ns, requests.ends_ns
    in_flight = requests.where((starts_ns < span.start_ns) & (ends_ns > span.start_ns))
    sent = requests.where((starts_ns >= span.start_ns) & (starts_ns < span.end_ns))
    recovered_after_ns = _recovered_after_ns(sent, span)
    during_ns = _during_ns(span, recovered_after_ns)
    right_ns = np.sort(ends_ns[requests.right])
    return HostEffect(
        in_flight=len(in_flight.errors),
        in_flight_failed=int(np.count_nonzero(~in_flight.right)),
        requests=len(sent.errors),
        errors=_counted(sent.errors),
        recovered_after_s=None if recovered_after_ns is None else recovered_after_ns / _NS_PER_S,
        longest_gap=longest_gap(right_ns, span.start_ns, span.end_ns),
        longest_gap_before=longest_gap(right_ns, 0, span.baseline_ns) if span.baseline_ns else None,
        during_s=during_ns / _NS_PER_S,
        before=_pace(requests.where(starts_ns < span.baseline_ns)),
        during=_pace(sent.where(sent.starts_ns < span.start_ns + during_ns)),
    )


def longest_gap(answered_ns: Moments, start_ns: int, end_ns: int) -> Gap:
    """The longest span without an answer that reaches into the other one, cut off at that one's end.

    It may have begun before: with the last answer that came until then, or with the load. `answered_ns` are
    in order.
    """
    first, last = np.searchsorted(answered_ns, [start_ns, end_ns], side="right")
    before_ns = answered_ns[first - 1] if first else 0
    moments_ns = np.concatenate(([before_ns], answered_ns[first:last], [end_ns]))
    gaps_ns = np.diff(moments_ns)
    longest = int(np.argmax(gaps_ns))
    return Gap(began_s=int(moments_ns[longest]) / _NS_PER_S, duration_s=int(gaps_ns[longest]) / _NS_PER_S)


def _recovered_after_ns(sent: Requests, span: Span) -> int | None:
    failed = np.flatnonzero(~sent.right)
    if not len(failed):
        return 0
    right_from = failed[-1] + 1
    if len(sent.errors) - right_from < RIGHT_AT_LEAST:
        return None
    return int(sent.starts_ns[right_from]) - span.start_ns


def _during_ns(span: Span, recovered_after_ns: int | None) -> int:
    longest_ns = span.end_ns - span.start_ns
    disturbed_ns = longest_ns if recovered_after_ns is None else recovered_after_ns
    return min(max(disturbed_ns, span.lasts_ns, _SHORTEST_DURING_NS), longest_ns)


def _counted(errors: Moments) -> Mapping[ErrorClass, int]:
    codes, counts = np.unique(errors[errors != _RIGHT], return_counts=True)
    return {_ERRORS[code]: int(count) for code, count in zip(codes, counts, strict=True)}


def _pace(requests: Requests) -> Pace | None:
    latencies_ns = np.sort(requests.latencies_ns[requests.right]).tolist()
    if not latencies_ns:
        return None
    return Pace(
        samples=len(latencies_ns),
        p50_ms=nearest_rank(latencies_ns, 50) / _NS_PER_MS,
        p95_ms=nearest_rank(latencies_ns, 95) / _NS_PER_MS,
        maximum_ms=latencies_ns[-1] / _NS_PER_MS,
    )
