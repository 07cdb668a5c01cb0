"""From samples to curves: sums them up in spans of time and bins of latency, column by column.

What the figures mean is said in `curves`. Leaves out the totals (`summarise`).
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from fractions import Fraction
from math import ceil, floor, log10

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from loadtest.load_run import Generator
from loadtest.sample import Arm, ErrorClass
from loadtest.stats.curves import Bin, Curves, Delay, HostCurves, Quantile, Span, Spread
from loadtest.stats.percentiles import nearest_rank, p99
from loadtest.stats.summary import Summary

_NS_PER_S, _NS_PER_MS = 1e9, 1e6
_MOST_SPANS = 100
_SAMPLES_PER_SPAN = 20  # on average, all hosts together: below that a span tells of chance alone
_LEAST_WINDOW_S = 1e-6
_ROUNDING = 1e-9  # by which float arithmetic may be off
_ROUND_WIDTHS = (1, 2, 5, 10)
_BINS_PER_DECADE = 20
_BEYOND = 10  # as many samples as the 99th of 1,000 has beyond it
_WHOLE_PERCENTS = (1, 5, 10, 25, 50, 75, 90, 95, 99)
_PERCENTS = (*map(Fraction, _WHOLE_PERCENTS), *map(Fraction, ("99.5", "99.9", "99.95", "99.99", "99.999")))

_Numbers = npt.NDArray[np.int64]


def trace(samples: pa.Table, summary: Summary, generator: Generator | None) -> Curves:
    """`summary` is of these samples. Without a generator's word on it, no delay is told."""
    tested = samples.filter(pc.equal(samples["arm"], Arm.HEAD))
    window_s = max(summary.duration_s, summary.sending_s, _LEAST_WINDOW_S)
    span_s = _span_s(window_s, len(tested))
    spans = ceil(window_s / span_s - _ROUNDING)
    tells_delay = generator is not None and generator.tells_intended_start
    hosts = sorted(set(tested["host"].unique().to_pylist()))
    return Curves(
        span_s=span_s,
        hosts={
            host: _host_curves(tested.filter(pc.equal(tested["host"], host)), span_s, spans, tells_delay)
            for host in hosts
        },
    )


def _span_s(window_s: float, samples: int) -> float:
    """A round width, by which there are at most a hundred spans, and fewer where samples are few."""
    least_s = window_s / max(1, min(_MOST_SPANS, samples // _SAMPLES_PER_SPAN))
    exponent = floor(log10(least_s))
    widths_s = (width * 10.0**exponent for width in _ROUND_WIDTHS)
    return next(one for one in widths_s if one >= least_s * (1 - _ROUNDING))


def _host_curves(samples: pa.Table, span_s: float, spans: int, tells_delay: bool) -> HostCurves:
    right = samples.filter(pc.is_null(samples["error"]))
    latencies_ns = np.sort(_numbers(right["latency_ns"]))
    return HostCurves(
        spans=tuple(_spans(samples, right, span_s, spans, tells_delay)),
        histogram=tuple(_histogram(latencies_ns)),
        quantiles=tuple(_quantiles(latencies_ns)),
    )


def _spans(
    samples: pa.Table, right: pa.Table, span_s: float, spans: int, tells_delay: bool
) -> Iterator[Span]:
    indices = _indices(samples, span_s, spans)
    counts = np.bincount(indices, minlength=spans)
    starts_ns, intended_ns = (_numbers(samples[name]) for name in ("actual_start_ns", "intended_start_ns"))
    delays = _by_span(starts_ns - intended_ns, indices, spans)
    latencies = _by_span(_numbers(right["latency_ns"]), _indices(right, span_s, spans), spans)
    errors = _errors(samples, span_s, spans)
    for number in range(spans):
        yield Span(
            at_s=number * span_s,
            requests=int(counts[number]),
            errors=errors.get(number, {}),
            latency=_spread(latencies[number]),
            delay=_delay(delays[number]) if tells_delay else None,
        )


def _indices(samples: pa.Table, span_s: float, spans: int) -> _Numbers:
    starts_ns = _numbers(samples["actual_start_ns"])
    return np.clip((starts_ns / (span_s * _NS_PER_S)).astype(np.int64), 0, spans - 1)


def _by_span(values: _Numbers, indices: _Numbers, spans: int) -> list[_Numbers]:
    """The values of each span, sorted."""
    order = np.lexsort((values, indices))
    return np.split(values[order], np.searchsorted(indices[order], np.arange(1, spans)))


def _errors(samples: pa.Table, span_s: float, spans: int) -> Mapping[int, Mapping[ErrorClass, int]]:
    failed = samples.filter(pc.is_valid(samples["error"]))
    counted: dict[int, Counter[ErrorClass]] = {}
    for number, error in zip(
        _indices(failed, span_s, spans).tolist(), failed["error"].to_pylist(), strict=True
    ):
        counted.setdefault(number, Counter())[ErrorClass(error)] += 1
    return counted


def _spread(sorted_ns: _Numbers) -> Spread | None:
    if not len(sorted_ns):
        return None
    values_ns = sorted_ns.data
    p99_ns = p99(values_ns)
    return Spread(
        minimum_ms=values_ns[0] / _NS_PER_MS,
        p50_ms=nearest_rank(values_ns, 50) / _NS_PER_MS,
        p95_ms=nearest_rank(values_ns, 95) / _NS_PER_MS,
        p99_ms=None if p99_ns is None else p99_ns / _NS_PER_MS,
        maximum_ms=values_ns[-1] / _NS_PER_MS,
    )


def _delay(sorted_ns: _Numbers) -> Delay | None:
    if not len(sorted_ns):
        return None
    values_ns = sorted_ns.data
    return Delay(p50_ms=nearest_rank(values_ns, 50) / _NS_PER_MS, maximum_ms=values_ns[-1] / _NS_PER_MS)


def _histogram(sorted_ns: _Numbers) -> Iterator[Bin]:
    """An answer of no measurable time counts as one of a nanosecond."""
    if not len(sorted_ns):
        return
    places = np.floor(np.log10(np.maximum(sorted_ns, 1)) * _BINS_PER_DECADE).astype(np.int64)
    first, last = int(places[0]), int(places[-1])
    for place, count in enumerate(np.bincount(places - first, minlength=last - first + 1), start=first):
        low_ms, high_ms = (10 ** (one / _BINS_PER_DECADE) / _NS_PER_MS for one in (place, place + 1))
        yield Bin(low_ms=low_ms, high_ms=high_ms, samples=int(count))


def _quantiles(sorted_ns: _Numbers) -> Iterator[Quantile]:
    values_ns = sorted_ns.data
    for percent in _PERCENTS:
        if len(values_ns) * (100 - percent) >= 100 * _BEYOND:
            yield Quantile(percent=float(percent), value_ms=nearest_rank(values_ns, percent) / _NS_PER_MS)


def _numbers(column: pa.ChunkedArray) -> _Numbers:
    numbers: _Numbers = column.to_numpy()
    return numbers
