"""Summaries of known samples: every figure worked out by hand."""

import dataclasses
from itertools import pairwise
from random import Random

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from loadtest.load_run import Generator, LoadRun
from loadtest.sample import Arm, ErrorClass, LoadWindow, Sample
from loadtest.stats.summarise import summarise
from loadtest.stats.summary import Interval, RequestSummary, Summary
from tests.sample_tables import table_of

WINDOW = LoadWindow(started_unix_ns=1_700_000_000_000_000_000, ended_unix_ns=1_700_000_002_000_000_000)
RIGHT = Sample(
    arm=Arm.HEAD,
    round=1,
    host="foo",
    intended_start_ns=0,
    actual_start_ns=0,
    latency_ns=1_000_000,
    status=200,
    body_bytes=4,
    error=None,
)

CLOSED_LOOP = Generator(engine="builtin", cpu_s=1.0, connections_opened=20)
OPEN_LOOP = dataclasses.replace(CLOSED_LOOP, planned_rps=4.0)
DOES_NOT_TELL = dataclasses.replace(OPEN_LOOP, tells_intended_start=False)


def summary_of(
    samples: list[Sample], *, window: LoadWindow = WINDOW, generator: Generator = CLOSED_LOOP
) -> Summary:
    return summarise(table_of(samples), LoadRun(window=window, generator=generator))


def combined_of(samples: list[Sample], *, generator: Generator = CLOSED_LOOP) -> RequestSummary:
    return summary_of(samples, generator=generator).arm(Arm.HEAD).combined


def failed(error: ErrorClass, latency_ns: int = 1) -> Sample:
    return replace(RIGHT, error=error, latency_ns=latency_ns)


def test_latencies_of_known_samples_are_exact() -> None:
    samples = [replace(RIGHT, latency_ns=milliseconds * 1_000_000) for milliseconds in range(10, 0, -1)]
    latency = summary_of(samples).arm(Arm.HEAD).combined.latency
    assert latency is not None
    assert latency.samples == 10
    assert (latency.minimum_ms, latency.average_ms, latency.maximum_ms) == (1.0, 5.5, 10.0)
    assert (latency.p50_ms, latency.p90_ms, latency.p95_ms) == (5.0, 9.0, 10.0)


@pytest.mark.parametrize(("requests", "expected_ms"), [(999, None), (1000, 990.0)])
def test_p99_is_told_from_a_thousand_right_answers_only(requests: int, expected_ms: float | None) -> None:
    samples = [replace(RIGHT, latency_ns=number * 1_000_000) for number in range(1, requests + 1)]
    failures = [failed(ErrorClass.TIMEOUT)] * 5
    latency = summary_of(samples + failures).arm(Arm.HEAD).combined.latency
    assert latency is not None
    assert latency.p99_ms == expected_ms


def test_a_failed_request_counts_as_failed_and_never_as_fast() -> None:
    samples = [RIGHT] * 3 + [failed(error) for error in ErrorClass] + [failed(ErrorClass.TIMEOUT)]
    combined = summary_of(samples).arm(Arm.HEAD).combined
    assert combined.requests == 12
    assert combined.succeeded == 3
    assert combined.success_ratio == 0.25
    assert combined.timeouts == 2
    assert combined.connection_errors == 3, "connect, closed, protocol"
    assert combined.http_errors == 3
    assert combined.wrong_bodies == 1
    assert combined.errors[ErrorClass.TIMEOUT] == 2
    assert combined.latency is not None
    assert combined.latency.samples == 3
    assert combined.latency.minimum_ms == 1.0, "failures took one nanosecond"


def test_only_error_classes_that_occurred_are_listed() -> None:
    combined = summary_of([RIGHT, failed(ErrorClass.CLOSED)]).arm(Arm.HEAD).combined
    assert combined.errors == {ErrorClass.CLOSED: 1}


def test_the_rate_is_of_all_requests_over_the_window() -> None:
    combined = summary_of([RIGHT] * 7 + [failed(ErrorClass.CONNECT)]).arm(Arm.HEAD).combined
    assert combined.achieved_rps == 4.0


def test_hosts_and_arms_are_told_apart() -> None:
    slow = replace(RIGHT, host="bar", latency_ns=9_000_000)
    base = replace(RIGHT, arm=Arm.BASE, host="bar", latency_ns=2_000_000)
    summary = summary_of([slow, base, RIGHT])
    assert [one.arm for one in summary.arms] == [Arm.HEAD, Arm.BASE]
    head = summary.arm(Arm.HEAD)
    assert list(head.hosts) == ["bar", "foo"]
    assert head.combined.requests == 2
    assert head.hosts["bar"].latency is not None
    assert head.hosts["bar"].latency.maximum_ms == 9.0
    assert summary.arm(Arm.BASE).combined.requests == 1


LATE = replace(RIGHT, intended_start_ns=1_000_000, actual_start_ns=4_000_000, error=ErrorClass.TIMEOUT)


def test_the_generators_own_delay_is_told_of_failed_requests_as_well() -> None:
    delay = combined_of([RIGHT, LATE]).schedule_delay
    assert delay is not None
    assert (delay.samples, delay.p50_ms, delay.p90_ms, delay.maximum_ms) == (2, 0.0, 3.0, 3.0)
    assert delay.p99_ms is None


@pytest.mark.parametrize(("late", "expected_ms"), [(10, 0.0), (11, 3.0)])
def test_the_99th_percentile_of_the_delay_is_exact(late: int, expected_ms: float) -> None:
    delay = combined_of([RIGHT] * (1000 - late) + [LATE] * late).schedule_delay
    assert delay is not None
    assert delay.p99_ms == expected_ms


def test_a_generator_that_does_not_tell_when_it_meant_to_send_has_no_delay() -> None:
    combined = combined_of([RIGHT, LATE], generator=DOES_NOT_TELL)
    assert combined.schedule_delay is None
    assert combined.latency_from_intended_start is None


def test_an_open_loop_tells_latency_from_the_intended_start_beside_that_from_the_actual_one() -> None:
    late = replace(RIGHT, intended_start_ns=1_000_000, actual_start_ns=4_000_000, latency_ns=2_000_000)
    combined = combined_of([late], generator=OPEN_LOOP)
    assert combined.latency is not None
    assert combined.latency_from_intended_start is not None
    assert combined.latency.p50_ms == 2.0
    assert combined.latency_from_intended_start.p50_ms == 5.0
    assert combined_of([late]).latency_from_intended_start is None, "a closed loop plans no starts"


def test_a_latency_is_split_into_connecting_waiting_and_transfer() -> None:
    opened = replace(RIGHT, latency_ns=10_000_000, connect_ns=2_000_000, first_byte_ns=9_000_000)
    reused = replace(RIGHT, latency_ns=5_000_000, connect_ns=0, first_byte_ns=4_500_000)
    parts = combined_of([opened, reused, RIGHT, failed(ErrorClass.TIMEOUT)]).latency_parts
    assert parts.connect is not None
    assert parts.first_byte is not None
    assert parts.transfer is not None
    assert (parts.connect.samples, parts.connect.maximum_ms) == (1, 2.0)
    assert (parts.first_byte.samples, parts.first_byte.p50_ms, parts.first_byte.maximum_ms) == (2, 4.5, 7.0)
    assert (parts.transfer.samples, parts.transfer.p50_ms, parts.transfer.maximum_ms) == (2, 0.5, 1.0)


def test_parts_that_no_engine_told_are_none() -> None:
    parts = combined_of([RIGHT]).latency_parts
    assert (parts.connect, parts.first_byte, parts.transfer) == (None, None, None)


def test_intervals_are_between_two_measured_values() -> None:
    samples = [replace(RIGHT, latency_ns=number * 1_000_000) for number in range(1, 101)]
    latency = combined_of(samples).latency
    assert latency is not None
    assert latency.p50_interval == Interval(low_ms=40.0, high_ms=61.0), "as tables of the binomial say"
    assert latency.p99_interval is None


@pytest.mark.parametrize(
    ("last_start_s", "expected_rps"), [(0.5, 2.0), (1.99, 2.0), (4.0, 1.0)], ids=["early", "in time", "late"]
)
def test_the_rate_sent_counts_the_time_planned_or_what_it_took_longer(
    last_start_s: float, expected_rps: float
) -> None:
    last = replace(RIGHT, actual_start_ns=int(last_start_s * 1e9), latency_ns=10**10)
    assert summary_of([RIGHT] * 3 + [last]).sent_rps(2.0) == expected_rps


def test_no_samples_give_no_figures_and_no_success() -> None:
    head = summary_of([]).arm(Arm.HEAD)
    assert head.hosts == {}
    assert head.combined.requests == 0
    assert head.combined.success_ratio == 0.0
    assert head.combined.latency is None


def test_a_window_without_length_has_no_rate() -> None:
    window = dataclasses.replace(WINDOW, ended_unix_ns=WINDOW.started_unix_ns)
    assert summary_of([RIGHT], window=window).arm(Arm.HEAD).combined.achieved_rps == 0.0


SAMPLES = st.lists(
    st.builds(
        replace,
        st.just(RIGHT),
        host=st.sampled_from(["foo", "bar", "baz"]),
        actual_start_ns=st.integers(0, 10**6),
        latency_ns=st.integers(1, 10**10),
        error=st.none() | st.sampled_from(ErrorClass),
        connect_ns=st.none() | st.integers(0, 10**6),
        first_byte_ns=st.none() | st.integers(10**6, 10**8),
    ),
    min_size=1,
)


@given(samples=SAMPLES)
def test_hosts_add_up_to_what_is_said_of_all(samples: list[Sample]) -> None:
    head = summary_of(samples).arm(Arm.HEAD)
    for figure in ("requests", "succeeded", "timeouts", "http_errors", "connection_errors", "wrong_bodies"):
        assert getattr(head.combined, figure) == sum(getattr(one, figure) for one in head.hosts.values())
    failures = (
        head.combined.timeouts
        + head.combined.http_errors
        + head.combined.connection_errors
        + head.combined.wrong_bodies
    )
    assert head.combined.requests == head.combined.succeeded + failures == len(samples)


@given(samples=SAMPLES)
def test_percentiles_of_all_lie_between_those_of_the_hosts(samples: list[Sample]) -> None:
    head = summary_of(samples, generator=OPEN_LOOP).arm(Arm.HEAD)
    latencies = [one.latency for one in head.hosts.values() if one.latency]
    for figure in ("p50_ms", "p90_ms", "p95_ms", "maximum_ms", "minimum_ms"):
        if head.combined.latency:
            of_hosts = [getattr(one, figure) for one in latencies]
            assert min(of_hosts) <= getattr(head.combined.latency, figure) <= max(of_hosts)


@given(samples=SAMPLES, chance=st.randoms())
def test_the_order_of_samples_changes_no_figure(samples: list[Sample], chance: Random) -> None:
    mixed = samples.copy()
    chance.shuffle(mixed)
    assert summary_of(mixed, generator=OPEN_LOOP) == summary_of(samples, generator=OPEN_LOOP)


@given(samples=SAMPLES, cuts=st.lists(st.integers(0, 100), max_size=4).map(sorted))
def test_the_parts_in_which_samples_were_written_change_no_figure(
    samples: list[Sample], cuts: list[int]
) -> None:
    parts = [table_of(samples[start:end]) for start, end in pairwise([0, *cuts, len(samples) + 100])]
    load_run = LoadRun(window=WINDOW, generator=OPEN_LOOP)
    whole, joined = table_of(samples), pa.concat_tables(parts)
    assert summarise(joined, load_run) == summarise(whole, load_run)


@given(samples=SAMPLES, others=SAMPLES)
def test_an_arm_says_nothing_of_another(samples: list[Sample], others: list[Sample]) -> None:
    base = [replace(one, arm=Arm.BASE) for one in others]
    assert summary_of(samples + base).arm(Arm.HEAD) == summary_of(samples).arm(Arm.HEAD)
    assert summary_of(samples + base).arm(Arm.BASE) == summary_of(base).arm(Arm.BASE)
