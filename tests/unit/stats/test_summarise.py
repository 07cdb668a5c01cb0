"""Summaries of known samples: every figure worked out by hand."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.sample import Arm, ErrorClass, LoadWindow, Sample
from loadtest.stats.summarise import summarise

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


def failed(error: ErrorClass, latency_ns: int = 1) -> Sample:
    return replace(RIGHT, error=error, latency_ns=latency_ns)


def test_latencies_of_known_samples_are_exact() -> None:
    samples = [replace(RIGHT, latency_ns=milliseconds * 1_000_000) for milliseconds in range(10, 0, -1)]
    latency = summarise(samples, WINDOW).arm(Arm.HEAD).combined.latency
    assert latency is not None
    assert latency.samples == 10
    assert (latency.minimum_ms, latency.average_ms, latency.maximum_ms) == (1.0, 5.5, 10.0)
    assert (latency.p50_ms, latency.p90_ms, latency.p95_ms) == (5.0, 9.0, 10.0)


@pytest.mark.parametrize(("requests", "expected_ms"), [(999, None), (1000, 990.0)])
def test_p99_is_told_from_a_thousand_right_answers_only(requests: int, expected_ms: float | None) -> None:
    samples = [replace(RIGHT, latency_ns=number * 1_000_000) for number in range(1, requests + 1)]
    failures = [failed(ErrorClass.TIMEOUT)] * 5
    latency = summarise(samples + failures, WINDOW).arm(Arm.HEAD).combined.latency
    assert latency is not None
    assert latency.p99_ms == expected_ms


def test_a_failed_request_counts_as_failed_and_never_as_fast() -> None:
    samples = [RIGHT] * 3 + [failed(error) for error in ErrorClass] + [failed(ErrorClass.TIMEOUT)]
    combined = summarise(samples, WINDOW).arm(Arm.HEAD).combined
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
    combined = summarise([RIGHT, failed(ErrorClass.CLOSED)], WINDOW).arm(Arm.HEAD).combined
    assert combined.errors == {ErrorClass.CLOSED: 1}


def test_the_rate_is_of_all_requests_over_the_window() -> None:
    combined = summarise([RIGHT] * 7 + [failed(ErrorClass.CONNECT)], WINDOW).arm(Arm.HEAD).combined
    assert combined.achieved_rps == 4.0


def test_hosts_and_arms_are_told_apart() -> None:
    slow = replace(RIGHT, host="bar", latency_ns=9_000_000)
    base = replace(RIGHT, arm=Arm.BASE, host="bar", latency_ns=2_000_000)
    summary = summarise([slow, base, RIGHT], WINDOW)
    assert [one.arm for one in summary.arms] == [Arm.HEAD, Arm.BASE]
    head = summary.arm(Arm.HEAD)
    assert list(head.hosts) == ["bar", "foo"]
    assert head.combined.requests == 2
    assert head.hosts["bar"].latency is not None
    assert head.hosts["bar"].latency.maximum_ms == 9.0
    assert summary.arm(Arm.BASE).combined.requests == 1


def test_the_generators_own_delay_is_told_of_failed_requests_as_well() -> None:
    late = replace(RIGHT, intended_start_ns=1_000_000, actual_start_ns=4_000_000, error=ErrorClass.TIMEOUT)
    combined = summarise([RIGHT, late], WINDOW).arm(Arm.HEAD).combined
    assert combined.schedule_delay_maximum_ms == 3.0
    assert combined.schedule_delay_p99_ms is None
    many = summarise([RIGHT] * 990 + [late] * 10, WINDOW).arm(Arm.HEAD).combined
    assert many.schedule_delay_p99_ms == 0.0
    assert summarise([RIGHT] * 989 + [late] * 11, WINDOW).arm(Arm.HEAD).combined.schedule_delay_p99_ms == 3.0


def test_no_samples_give_no_figures_and_no_success() -> None:
    head = summarise([], WINDOW).arm(Arm.HEAD)
    assert head.hosts == {}
    assert head.combined.requests == 0
    assert head.combined.success_ratio == 0.0
    assert head.combined.latency is None


def test_a_window_without_length_has_no_rate() -> None:
    window = replace(WINDOW, ended_unix_ns=WINDOW.started_unix_ns)
    assert summarise([RIGHT], window).arm(Arm.HEAD).combined.achieved_rps == 0.0


SAMPLES = st.lists(
    st.builds(
        replace,
        st.just(RIGHT),
        host=st.sampled_from(["foo", "bar", "baz"]),
        latency_ns=st.integers(1, 10**10),
        error=st.none() | st.sampled_from(ErrorClass),
    ),
    min_size=1,
)


@given(samples=SAMPLES)
def test_hosts_add_up_to_what_is_said_of_all(samples: list[Sample]) -> None:
    head = summarise(samples, WINDOW).arm(Arm.HEAD)
    for figure in ("requests", "succeeded", "timeouts", "http_errors", "connection_errors", "wrong_bodies"):
        assert getattr(head.combined, figure) == sum(getattr(one, figure) for one in head.hosts.values())
    failures = (
        head.combined.timeouts
        + head.combined.http_errors
        + head.combined.connection_errors
        + head.combined.wrong_bodies
    )
    assert head.combined.requests == head.combined.succeeded + failures == len(samples)


@given(samples=SAMPLES, chance=st.randoms())
def test_the_order_of_samples_changes_no_figure(samples: list[Sample], chance: Random) -> None:
    mixed = samples.copy()
    chance.shuffle(mixed)
    assert summarise(mixed, WINDOW) == summarise(samples, WINDOW)
