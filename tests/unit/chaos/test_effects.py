"""What clients saw of an event: worked out by hand, and what holds whatever the samples are."""

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from loadtest.chaos.effects import Span, by_host, host_effect, longest_gap, outcomes
from loadtest.chaos.model import Action, ChaosEvent, Deed, Gap, HostEffect
from loadtest.sample import Arm, ErrorClass, LoadWindow, Sample
from loadtest.sample_columns import SampleColumns

S = 1_000_000_000
MS = 1_000_000
UNIX_NS = 1_700_000_000 * S
WINDOW = LoadWindow(started_unix_ns=UNIX_NS, ended_unix_ns=UNIX_NS + 10 * S)
KILL = ChaosEvent(at_s=4.0, action=Action.KILL, target="app/foo")
FREEZE = ChaosEvent(at_s=4.0, action=Action.FREEZE, target="app/foo", duration_s=2.0)


def sample(
    start_ns: int, *, latency_ns: int = 10 * MS, error: ErrorClass | None = None, host: str = "foo"
) -> Sample:
    return Sample(
        arm=Arm.HEAD,
        round=1,
        host=host,
        intended_start_ns=start_ns,
        actual_start_ns=start_ns,
        latency_ns=latency_ns,
        status=None if error else 200,
        body_bytes=3,
        error=error,
    )


def steady(start_s: float, end_s: float, *, every_ms: int = 100) -> list[Sample]:
    return [sample(at_ns) for at_ns in range(int(start_s * S), int(end_s * S), every_ms * MS)]


def table(samples: Iterable[Sample]) -> pa.Table:
    columns = SampleColumns()
    for one in samples:
        columns.append(one)
    return columns.table()


def done(event: ChaosEvent, began_s: float, undone_s: float | None = None) -> Deed:
    return Deed(
        event=event,
        victim="pod apps/foo-1",
        began_unix_ns=UNIX_NS + int(began_s * S),
        done_unix_ns=UNIX_NS + int(began_s * S) + 5 * MS,
        undone_unix_ns=None if undone_s is None else UNIX_NS + int(undone_s * S),
    )


def effect(samples: Iterable[Sample], *deeds: Deed) -> HostEffect:
    """Of the first deed on the host foo."""
    return outcomes(deeds or (done(KILL, 4.0),), table(samples), WINDOW)[0].hosts["foo"]


def refused(start_s: float, end_s: float) -> list[Sample]:
    return [replace(one, error=ErrorClass.HTTP_5XX, latency_ns=MS) for one in steady(start_s, end_s)]


def test_where_nothing_failed_nothing_had_to_recover() -> None:
    seen = effect(steady(0, 10))
    assert (0, {}, 0.0) == (seen.in_flight_failed, seen.errors, seen.recovered_after_s)
    assert seen.longest_gap_before is not None
    assert seen.longest_gap.duration_s == pytest.approx(0.1)
    assert seen.longest_gap_before.duration_s == pytest.approx(0.1)


def test_an_outage_is_a_gap_errors_and_seconds_to_recover() -> None:
    seen = effect([*steady(0, 4), *refused(4, 5.5), *steady(5.5, 10)])
    assert {ErrorClass.HTTP_5XX: 15} == seen.errors
    assert seen.requests == 60
    assert seen.recovered_after_s == pytest.approx(1.5)
    # From the last right answer before it to the first after it.
    assert seen.longest_gap == Gap(began_s=3.91, duration_s=pytest.approx(1.6))


def test_requests_under_way_when_it_happened_are_counted_apart() -> None:
    lost = replace(sample(3_995 * MS), error=ErrorClass.CLOSED)
    waited = sample(3_990 * MS, latency_ns=50 * MS)
    seen = effect([*steady(0, 3.9), waited, lost, *steady(4, 10)])
    assert (2, 1) == (seen.in_flight, seen.in_flight_failed)
    assert ({}, 0.0) == (seen.errors, seen.recovered_after_s), "none that was sent later failed"


def test_right_answers_between_two_outages_are_no_recovery() -> None:
    samples = [*steady(0, 4), *refused(4, 4.5), *steady(4.5, 6), *refused(6, 7), *steady(7, 10)]
    assert effect(samples).recovered_after_s == pytest.approx(3.0)


@pytest.mark.parametrize(("right", "recovered_after_s"), [(9, None), (10, pytest.approx(5.0))])
def test_a_few_right_answers_do_not_show_a_recovery(right: int, recovered_after_s: float | None) -> None:
    last = steady(9, 10, every_ms=10)[:right]
    assert recovered_after_s == effect([*steady(0, 4), *refused(4, 9), *last]).recovered_after_s


def test_what_did_not_recover_says_so() -> None:
    seen = effect([*steady(0, 4), *refused(4, 10)])
    assert seen.recovered_after_s is None
    assert seen.longest_gap.duration_s == pytest.approx(10 - 3.91)
    assert seen.during is None
    assert seen.during_s == pytest.approx(6.0)


def test_latency_before_is_set_beside_that_until_it_was_over() -> None:
    slow = [replace(one, latency_ns=500 * MS) for one in steady(4, 6)]
    seen = effect([*steady(0, 4), *slow, *steady(6, 10)], done(FREEZE, 4.0, undone_s=6.0))
    assert seen.before is not None
    assert seen.during is not None
    assert (10.0, 500.0, 2.0) == (seen.before.p95_ms, seen.during.p50_ms, seen.during_s)
    assert (40, 20) == (seen.before.samples, seen.during.samples)


def test_each_event_answers_for_what_came_until_the_next() -> None:
    samples = [*steady(0, 4), *refused(4, 5), *steady(5, 7), *refused(7, 8), *steady(8, 10)]
    first, second = outcomes((done(KILL, 4.0), done(KILL, 7.0)), table(samples), WINDOW)
    assert (30, 10) == (first.hosts["foo"].requests, sum(first.hosts["foo"].errors.values()))
    assert (30, 10) == (second.hosts["foo"].requests, sum(second.hosts["foo"].errors.values()))
    assert second.hosts["foo"].before == first.hosts["foo"].before, "before the first of all"


def test_events_of_one_moment_answer_together() -> None:
    samples = [*steady(0, 4), *refused(4, 5), *steady(5, 10)]
    found = outcomes((done(KILL, 4.0), done(KILL, 4.01)), table(samples), WINDOW)
    assert [60, 59] == [one.hosts["foo"].requests for one in found]


def test_hosts_are_told_apart() -> None:
    others = [replace(one, host="bar") for one in steady(0, 10)]
    (found,) = outcomes((done(KILL, 4.0),), table([*steady(0, 4), *refused(4, 10), *others]), WINDOW)
    assert ["bar", "foo"] == list(found.hosts)
    assert (0.0, None) == (found.hosts["bar"].recovered_after_s, found.hosts["foo"].recovered_after_s)


def test_other_arms_are_not_looked_at() -> None:
    base = [replace(one, arm=Arm.BASE) for one in refused(4, 10)]
    assert effect([*steady(0, 10), *base]).errors == {}


def test_what_did_not_happen_has_a_reason_and_no_effects() -> None:
    never = Deed(event=KILL, problem="app/foo has no pod that is ready")
    late, early = done(KILL, 12.0), done(FREEZE, -2.0, undone_s=-0.1)
    found = outcomes((never, late, early), table(steady(0, 10)), WINDOW)
    assert [{}, {}, {}] == [one.hosts for one in found]
    assert [
        "app/foo has no pod that is ready",
        "it did not come within the load's window",
        "it was over before the load's window began",
    ] == [one.problem for one in found]


def test_what_was_over_before_the_load_takes_nothing_from_what_came_in_it() -> None:
    samples = table([*steady(0, 4), *refused(4, 5), *steady(5, 10)])
    _, found = outcomes((done(FREEZE, -2.0, undone_s=-0.1), done(KILL, 4.0)), samples, WINDOW)
    assert found == outcomes((done(KILL, 4.0),), samples, WINDOW)[0]


def test_what_began_a_little_before_the_load_lasts_until_it_is_undone() -> None:
    assert effect(steady(0, 10), done(FREEZE, -0.5, undone_s=2.0)).during_s == pytest.approx(2.0)


def test_an_event_at_the_very_beginning_has_nothing_before_it() -> None:
    seen = effect(steady(0, 10), done(KILL, 0.0))
    assert (None, None) == (seen.longest_gap_before, seen.before)


def test_an_event_that_came_when_the_load_was_about_to_begin_is_met_from_its_first_moment() -> None:
    samples = table([*refused(0, 1), *steady(1, 10)])
    (found,) = outcomes((done(KILL, -0.02),), samples, WINDOW)
    assert (None, pytest.approx(-0.02)) == (found.problem, found.at_s)
    assert (100, 1.0) == (found.hosts["foo"].requests, found.hosts["foo"].recovered_after_s)


def test_a_host_without_any_right_answer_is_one_gap() -> None:
    seen = effect(refused(0, 10))
    assert seen.longest_gap == Gap(began_s=0.0, duration_s=10.0)


MOMENTS = st.lists(st.integers(0, 10 * S), max_size=50).map(sorted)


@given(MOMENTS, st.integers(0, 9 * S), st.integers(1, S))
def test_no_span_without_an_answer_is_longer_than_the_longest_gap(
    answered_ns: list[int], start_ns: int, length_ns: int
) -> None:
    end_ns = start_ns + length_ns
    gap = longest_gap(np.array(answered_ns, dtype=np.int64), start_ns, end_ns)
    began_ns, lasted_ns = round(gap.began_s * S), round(gap.duration_s * S)
    assert not any(began_ns < one < began_ns + lasted_ns for one in answered_ns), "there is an answer in it"
    inside = [start_ns, *(one for one in answered_ns if start_ns < one < end_ns), end_ns]
    widest_ns = max(later - earlier for earlier, later in pairwise(inside))
    assert widest_ns <= lasted_ns + 1
    assert began_ns + lasted_ns <= end_ns + 1


REQUESTS = st.lists(
    st.tuples(st.integers(0, 10 * S - 1), st.integers(1, 3 * S), st.sampled_from([None, *ErrorClass])),
    min_size=1,
    max_size=80,
)


@given(REQUESTS, st.integers(0, 9 * S), st.integers(S, 10 * S))
def test_every_request_after_an_event_is_counted_and_none_after_the_recovery_failed(
    rows: list[tuple[int, int, ErrorClass | None]], start_ns: int, end_ns: int
) -> None:
    samples = [sample(at_ns, latency_ns=latency_ns, error=error) for at_ns, latency_ns, error in rows]
    span = Span(baseline_ns=start_ns, start_ns=start_ns, end_ns=max(end_ns, start_ns + 1), lasts_ns=0)
    seen = host_effect(by_host(table(samples))["foo"], span)

    sent = [one for one in samples if span.start_ns <= one.actual_start_ns < span.end_ns]
    assert len(sent) == seen.requests
    assert sum(one.error is not None for one in sent) == sum(seen.errors.values())
    if seen.recovered_after_s is not None:
        recovered_ns = span.start_ns + round(seen.recovered_after_s * S)
        failed_later = [one for one in sent if one.actual_start_ns > recovered_ns and one.error]
        assert failed_later == []
