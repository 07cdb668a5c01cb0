"""Curves of known samples: no sample is lost on the way, and every figure is one that was measured."""

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from loadtest.load_run import LoadRun
from loadtest.sample import Arm, ErrorClass, LoadWindow, Sample
from loadtest.stats.curves import Curves, Span
from loadtest.stats.summarise import summarise
from loadtest.stats.trace import trace
from tests.sample_tables import table_of
from tests.unit.stats.test_summarise import CLOSED_LOOP, DOES_NOT_TELL, RIGHT

SECOND_NS = 1_000_000_000


def curves_of(samples: Sequence[Sample], *, seconds: float = 2.0, generator=CLOSED_LOOP) -> Curves:
    table = table_of(samples)
    window = LoadWindow(started_unix_ns=0, ended_unix_ns=int(seconds * SECOND_NS))
    return trace(table, summarise(table, LoadRun(window=window, generator=generator)), generator)


def sent(
    at_s: float, latency_ms: float = 1.0, *, error: ErrorClass | None = None, host: str = "foo"
) -> Sample:
    start_ns = round(at_s * SECOND_NS)
    return replace(
        RIGHT,
        host=host,
        intended_start_ns=start_ns,
        actual_start_ns=start_ns,
        latency_ns=round(latency_ms * 1_000_000),
        error=error,
    )


def spans_with_requests(curves: Curves, host: str = "foo") -> list[Span]:
    return [span for span in curves.hosts[host].spans if span.requests]


def test_a_span_has_what_was_sent_within_it() -> None:
    samples = [sent(0.1 + number / 1_000, number + 1) for number in range(50)]
    samples += [sent(1.6, 7.0), sent(1.7, 500.0, error=ErrorClass.TIMEOUT)]
    curves = curves_of(samples)
    first, last = curves.hosts["foo"].spans[0], curves.hosts["foo"].spans[-1]
    assert (curves.span_s, len(curves.hosts["foo"].spans)) == (1.0, 2)
    assert (first.requests, first.errors) == (50, {})
    assert first.latency is not None
    assert (first.latency.minimum_ms, first.latency.p50_ms) == (1.0, 25.0)
    assert (first.latency.p95_ms, first.latency.p99_ms, first.latency.maximum_ms) == (48.0, None, 50.0)
    assert (last.requests, last.errors) == (2, {ErrorClass.TIMEOUT: 1})
    assert last.latency is not None
    assert last.latency.maximum_ms == 7.0


def test_a_span_has_a_p99_where_it_has_a_thousand_right_answers() -> None:
    spans = spans_with_requests(curves_of([sent(0.0, number + 1) for number in range(1_000)], seconds=0.01))
    assert [span.latency.p99_ms for span in spans if span.latency] == [990.0]


def test_spans_without_requests_are_there_and_have_no_figures() -> None:
    curves = curves_of([sent(0.0) for _ in range(100)] + [sent(9.9) for _ in range(100)], seconds=10)
    spans = curves.hosts["foo"].spans
    assert [span.at_s for span in spans] == [number * curves.span_s for number in range(10)]
    assert {(span.requests, span.latency, span.delay) for span in spans[1:-1]} == {(0, None, None)}


def test_delays_are_those_of_failed_requests_as_well() -> None:
    late = replace(sent(0.0, error=ErrorClass.CONNECT), actual_start_ns=3_000_000)
    (span,) = spans_with_requests(curves_of([sent(0.0), sent(0.0), late]))
    assert span.delay is not None
    assert (span.delay.p50_ms, span.delay.maximum_ms) == (0.0, 3.0)


def test_no_delay_is_told_where_the_engine_does_not_tell_it() -> None:
    (span,) = spans_with_requests(curves_of([sent(0.0)], generator=DOES_NOT_TELL))
    assert span.delay is None


def test_a_percentile_is_there_from_ten_samples_beyond_it_on() -> None:
    quantiles = {
        count: {one.percent: one.value_ms for one in curves_of(samples).hosts["foo"].quantiles}
        for count in (10, 19, 20, 1_000, 10_000)
        for samples in [[sent(0.0, number + 1) for number in range(count)]]
    }
    assert quantiles[10] == {}
    assert max(quantiles[19]) == 25
    assert (max(quantiles[20]), quantiles[20][50]) == (50, 10.0)
    assert (max(quantiles[1_000]), quantiles[1_000][99]) == (99, 990.0)
    assert (max(quantiles[10_000]), quantiles[10_000][99.9]) == (99.9, 9_990.0)


def test_bins_have_equal_ratios_and_hold_what_lies_between_their_edges() -> None:
    latencies_ms = [Random(2).lognormvariate(1, 1) for _ in range(500)]
    bins = curves_of([sent(0.0, one) for one in latencies_ms]).hosts["foo"].histogram
    for one in bins:
        assert one.high_ms / one.low_ms == pytest.approx(10 ** (1 / 20))
        within = [ms for ms in latencies_ms if one.low_ms <= round(ms * 1_000_000) / 1_000_000 < one.high_ms]
        assert one.samples == len(within)
    assert bins[0].samples > 0
    assert bins[-1].samples > 0


def test_other_versions_than_the_one_under_test_are_left_out() -> None:
    base = replace(sent(0.0), arm=Arm.BASE)
    assert sum(span.requests for span in curves_of([base, sent(0.0)]).hosts["foo"].spans) == 1


def test_a_load_without_a_request_has_no_host() -> None:
    assert curves_of([]).hosts == {}


@given(
    starts_ms=st.lists(st.integers(0, 70_000), min_size=1, max_size=300),
    seconds=st.floats(0.000_001, 60),
)
def test_no_sample_is_lost_or_counted_twice(starts_ms: list[int], seconds: float) -> None:
    chance = Random(len(starts_ms))
    samples = [
        sent(
            start / 1_000,
            chance.lognormvariate(1, 2),
            host=chance.choice("ab"),
            error=chance.choice([None, None, ErrorClass.TIMEOUT]),
        )
        for start in starts_ms
    ]
    curves = curves_of(samples, seconds=seconds)
    for host, one in curves.hosts.items():
        of_host = [sample for sample in samples if sample.host == host]
        right = [sample.latency_ns / 1e6 for sample in of_host if sample.error is None]
        assert sum(span.requests for span in one.spans) == len(of_host)
        assert sum(sum(span.errors.values()) for span in one.spans) == len(of_host) - len(right)
        assert sum(held.samples for held in one.histogram) == len(right)
        told = [span.latency for span in one.spans if span.latency]
        assert max((spread.maximum_ms for spread in told), default=0) == max(right, default=0)
        assert min((spread.minimum_ms for spread in told), default=0) == min(right, default=0)
        assert len(one.spans) <= 101
