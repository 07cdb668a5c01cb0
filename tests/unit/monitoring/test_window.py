"""Figures of a span from readings that do not fall on its edges."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.monitoring.readings import Reading, Span
from loadtest.monitoring.window import (
    NO_READINGS,
    bracket,
    counters_over,
    gauges_over,
    growth,
    thinned,
    unread_at_start,
)


def readings(*pairs: tuple[float, float]) -> tuple[Reading, ...]:
    return tuple(Reading(at_s=at_s, value=value) for at_s, value in pairs)


def span(start_s: float, end_s: float) -> Span:
    return Span(start_s=start_s, end_s=end_s)


_VALUES = st.floats(min_value=0, max_value=1e12)
_MOMENTS = st.integers(min_value=0, max_value=1000)


@st.composite
def series(draw: st.DrawFn, values: st.SearchStrategy[float] = _VALUES) -> tuple[Reading, ...]:
    moments = sorted(draw(st.sets(_MOMENTS, max_size=30)))
    return readings(*((float(at_s), draw(values)) for at_s in moments))


@st.composite
def spans(draw: st.DrawFn) -> Span:
    start_s, end_s = sorted((draw(_MOMENTS), draw(_MOMENTS)))
    return span(start_s + 0.25, end_s + 0.25 + draw(st.sampled_from([0.0, 0.5])))


class TestBracket:
    def test_the_readings_around_a_short_span_are_taken_though_none_lies_inside(self) -> None:
        row = readings((0, 1), (10, 2), (20, 3), (30, 4))
        assert row[1:3] == bracket(row, span(12, 12.2))

    def test_a_reading_exactly_on_an_edge_needs_no_other_beyond_it(self) -> None:
        row = readings((0, 1), (10, 2), (20, 3), (30, 4))
        assert row[1:3] == bracket(row, span(10, 20))

    def test_where_the_readings_end_early_the_last_one_is_the_edge(self) -> None:
        row = readings((0, 1), (10, 2), (20, 3))
        assert row[1:] == bracket(row, span(12, 25))

    def test_where_they_begin_late_the_first_one_is_the_edge(self) -> None:
        row = readings((10, 1), (20, 2), (30, 3))
        assert row[:2] == bracket(row, span(5, 15))

    def test_of_nothing_is_nothing(self) -> None:
        assert tuple(bracket((), span(0, 1))) == ()

    @given(series(), spans())
    def test_holds_every_reading_inside_and_at_most_one_beyond_each_edge(
        self, row: tuple[Reading, ...], over: Span
    ) -> None:
        chosen = bracket(row, over)
        assert {one for one in row if over.start_s <= one.at_s <= over.end_s} <= set(chosen)
        assert sum(one.at_s < over.start_s for one in chosen) <= 1
        assert sum(one.at_s > over.end_s for one in chosen) <= 1


class TestGrowth:
    def test_is_the_difference_of_the_counter(self) -> None:
        assert growth(readings((0, 5), (10, 7), (20, 12))) == 7

    def test_counts_from_zero_again_after_a_reset(self) -> None:
        assert growth(readings((0, 100), (10, 110), (20, 3), (30, 5))) == 10 + 3 + 2

    @given(series(st.integers(0, 10**9)), st.sets(st.integers(0, 30)))
    def test_of_a_counter_that_starts_anew_is_never_more_than_was_counted(
        self, row: tuple[Reading, ...], resets: set[int]
    ) -> None:
        """`row` is what each reading adds; what a reset hides cannot be seen, what is seen was counted."""
        shown, counted, seen = 0.0, 0.0, []
        for place, added in enumerate(row):
            shown = added.value + (0 if place in resets else shown)
            counted += added.value if place else 0
            seen.append(Reading(at_s=added.at_s, value=shown))
        assert growth(seen) <= counted
        if not resets - {0}:
            assert growth(seen) == counted

    @given(series(st.integers(0, 10**9)), st.sets(st.integers(1, 28)))
    def test_of_a_counter_that_only_rises_needs_no_reading_but_the_edges(
        self, row: tuple[Reading, ...], missing: set[int]
    ) -> None:
        rising = readings(*zip((one.at_s for one in row), sorted(one.value for one in row), strict=True))
        left = [one for place, one in enumerate(rising) if place not in missing or place == len(rising) - 1]
        assert growth(left) == growth(rising)

    @given(series())
    def test_is_never_negative(self, row: tuple[Reading, ...]) -> None:
        assert growth(row) >= 0


class TestCounters:
    def test_of_a_short_span_are_those_of_the_readings_around_it(self) -> None:
        usage = counters_over([readings((0, 10), (10, 15))], span(4, 4.2))
        assert (usage.total, usage.measured_s) == (5, 10)
        assert (usage.rate_per_s.minimum, usage.rate_per_s.average, usage.rate_per_s.maximum) == (
            0.5,
            0.5,
            0.5,
        )
        assert usage.rate_per_s.samples == 2

    def test_average_weighs_each_stretch_by_how_much_of_it_lies_in_the_span(self) -> None:
        row = readings((0, 0), (10, 10), (20, 50))  # 1 a second, then 4
        usage = counters_over([row], span(5, 20))
        assert usage.rate_per_s.average == pytest.approx((5 * 1 + 10 * 4) / 15)
        assert (usage.rate_per_s.minimum, usage.rate_per_s.maximum) == (1, 4)
        assert usage.total == 50

    def test_read_at_different_moments_add_up(self) -> None:
        one = readings((0, 0), (10, 10))  # 1 a second all along
        other = readings((-2, 0), (4, 0), (12, 16))  # 0, then 2 a second
        usage = counters_over([one, other], span(2, 8))
        assert (usage.rate_per_s.minimum, usage.rate_per_s.maximum) == (1, 3)
        assert usage.rate_per_s.average == pytest.approx((2 * 1 + 4 * 3) / 6)
        assert usage.total == 26
        assert usage.measured_s == 14
        assert usage.rate_per_s.samples == 2

    def test_a_single_reading_says_nothing(self) -> None:
        usage = counters_over([readings((5, 100))], span(4, 6))
        assert usage.total is None
        assert usage.rate_per_s == NO_READINGS
        assert (usage.counters, usage.unread) == (1, 1)

    def test_none_at_all_is_missing_and_not_zero(self) -> None:
        usage = counters_over([], span(4, 6))
        assert (usage.total, usage.measured_s, usage.rate_per_s) == (None, None, NO_READINGS)

    def test_readings_that_stop_before_the_span_say_nothing_of_it(self) -> None:
        assert counters_over([readings((0, 1), (1, 2))], span(4, 6)).total is None

    def test_readings_that_start_after_the_span_say_nothing_of_it(self) -> None:
        assert counters_over([readings((10, 1), (12, 2))], span(4, 6)).total is None

    def test_what_is_not_covered_at_the_edges_is_counted_as_early_and_late(self) -> None:
        whole, late, early = readings((0, 0), (20, 1)), readings((0, 0), (9, 1)), readings((6, 0), (20, 1))
        usage = counters_over([whole, late, early], span(5, 10))
        assert (usage.counters, usage.unread, usage.early, usage.late) == (3, 0, 1, 1)

    def test_the_rate_is_of_the_covered_part_where_readings_end_early(self) -> None:
        assert counters_over([readings((0, 0), (5, 10))], span(0, 10)).rate_per_s.average == 2

    @given(st.lists(series(), max_size=4), spans())
    def test_average_lies_between_minimum_and_maximum(
        self, rows: list[tuple[Reading, ...]], over: Span
    ) -> None:
        rate = counters_over(rows, over).rate_per_s
        if rate.average is not None and rate.minimum is not None and rate.maximum is not None:
            assert 0 <= rate.minimum <= rate.average <= rate.maximum

    @given(st.lists(series(st.integers(0, 10**9)), max_size=5), spans(), st.randoms())
    def test_the_order_of_counters_changes_no_sum(
        self, rows: list[tuple[Reading, ...]], over: Span, chance: Random
    ) -> None:
        mixed = chance.sample(rows, len(rows))
        there, here = counters_over(mixed, over), counters_over(rows, over)
        assert (there.total, there.measured_s, there.unread) == (here.total, here.measured_s, here.unread)
        assert (there.early, there.late) == (here.early, here.late)
        assert there.rate_per_s.average == pytest.approx(here.rate_per_s.average)

    @given(st.lists(series(st.integers(0, 10**9)), max_size=4), series(), spans())
    def test_a_counter_without_readings_is_told_and_changes_no_sum(
        self, rows: list[tuple[Reading, ...]], other: tuple[Reading, ...], over: Span
    ) -> None:
        with_it, without = counters_over([*rows, other[:1]], over), counters_over(rows, over)
        assert (with_it.total, with_it.rate_per_s) == (without.total, without.rate_per_s)
        assert with_it.unread == without.unread + 1

    @given(series(), spans(), st.floats(min_value=-1e6, max_value=1e6))
    def test_figures_do_not_depend_on_where_the_clock_starts(
        self, row: tuple[Reading, ...], over: Span, shift: float
    ) -> None:
        shift_s = round(shift)
        moved = readings(*((one.at_s + shift_s, one.value) for one in row))
        there = counters_over([moved], span(over.start_s + shift_s, over.end_s + shift_s))
        assert there.total == counters_over([row], over).total

    @given(st.integers(min_value=1, max_value=50), spans())
    def test_a_steady_counter_has_its_own_rate_whatever_the_span(self, rate: int, over: Span) -> None:
        row = readings(*((float(at_s), float(at_s * rate)) for at_s in range(-10, 1020, 7)))
        figures = counters_over([row], over).rate_per_s
        assert figures.minimum == pytest.approx(rate)
        assert figures.maximum == pytest.approx(rate)


class TestGauges:
    def test_are_read_at_the_readings_around_the_span(self) -> None:
        row = readings((0, 900), (10, 100), (20, 300), (30, 200), (40, 900))
        figures = gauges_over([row], span(12, 25), hold_s=60)
        assert (figures.minimum, figures.maximum, figures.average) == (100, 300, 200)
        assert figures.samples == 3

    def test_of_several_containers_add_up_moment_by_moment(self) -> None:
        one, other = readings((0, 10), (20, 30)), readings((5, 1), (15, 2))
        figures = gauges_over([one, other], span(6, 14), hold_s=60)
        # at 6: 10 + 1, at 15: 10 + 2, at 20: 30 + 2
        assert (figures.minimum, figures.maximum) == (11, 32)
        assert figures.average == pytest.approx((11 + 12 + 32) / 3)

    def test_a_container_that_comes_in_the_middle_counts_from_its_first_reading(self) -> None:
        old, new = readings((0, 1), (4, 1), (8, 1)), readings((4, 1), (8, 1))
        figures = gauges_over([old, new], span(2, 7), hold_s=5)
        assert (figures.minimum, figures.maximum) == (1, 2)

    def test_a_container_that_is_gone_counts_no_longer_than_its_readings_hold(self) -> None:
        lasting = readings(*((float(at_s), 1.0) for at_s in range(0, 21, 2)))
        gone = readings((0, 1), (2, 1), (4, 1))
        figures = gauges_over([lasting, gone], span(1, 19), hold_s=5)
        assert (figures.minimum, figures.maximum) == (1, 2)

    def test_none_at_all_is_missing_and_not_zero(self) -> None:
        assert gauges_over([], span(0, 1), hold_s=60) == NO_READINGS
        assert gauges_over([()], span(0, 1), hold_s=60) == NO_READINGS

    def test_readings_too_old_to_hold_are_missing_and_not_zero(self) -> None:
        assert gauges_over([readings((0, 5))], span(100, 101), hold_s=60) == NO_READINGS

    def test_those_without_a_reading_that_holds_at_the_start_are_counted(self) -> None:
        read, too_old, late = readings((0, 1), (10, 1)), readings((-90, 1), (10, 1)), readings((6, 1))
        assert unread_at_start([read, too_old, late], span(5, 10), hold_s=60) == 2
        assert unread_at_start([read], span(0, 10), hold_s=60) == 0

    @given(st.lists(series(), max_size=4), spans())
    def test_average_lies_between_minimum_and_maximum(
        self, rows: list[tuple[Reading, ...]], over: Span
    ) -> None:
        figures = gauges_over(rows, over, hold_s=60)
        if figures.average is not None and figures.minimum is not None and figures.maximum is not None:
            assert figures.minimum <= figures.average * (1 + 1e-12)
            assert figures.average <= figures.maximum * (1 + 1e-12)


class TestThinning:
    @given(series(), st.floats(min_value=0.5, max_value=100))
    def test_keeps_the_edges_and_the_distance(self, row: tuple[Reading, ...], interval_s: float) -> None:
        kept = thinned(row, interval_s)
        assert tuple(row[:1] + row[-1:]) == tuple(kept[:1]) + tuple(kept[-1:])
        assert len(set(kept)) == len(kept)
        assert all(later.at_s - earlier.at_s >= interval_s for earlier, later in pairwise(kept[:-1]))

    def test_keeps_what_a_counter_grew_by(self) -> None:
        row = readings(*((float(at_s), float(at_s**2)) for at_s in range(20)))
        assert growth(row) == growth(thinned(row, 5))
