"""Nearest-rank percentiles against their definition, not against another implementation."""

from fractions import Fraction
from math import comb
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtest.stats.percentiles import interval_ranks, nearest_rank, p99

VALUES = st.lists(st.integers(0, 10**12), min_size=1, max_size=300).map(sorted)


@given(values=VALUES, percent=st.integers(1, 100))
def test_a_percentile_is_the_smallest_value_that_enough_values_do_not_exceed(
    values: list[int], percent: int
) -> None:
    found = nearest_rank(values, percent)
    assert found in values
    assert sum(value <= found for value in values) * 100 >= percent * len(values)
    assert sum(value < found for value in values) * 100 < percent * len(values)


@given(values=VALUES)
def test_percentiles_never_fall(values: list[int]) -> None:
    found = [nearest_rank(values, percent) for percent in range(1, 101)]
    assert found == sorted(found)
    assert found[-1] == values[-1]


@pytest.mark.parametrize(
    ("count", "percent", "expected"),
    [(1, 50, 1), (2, 50, 1), (3, 50, 2), (20, 95, 19), (200, 99, 198), (1000, 99, 990), (1001, 99, 991)],
)
def test_known_ranks(count: int, percent: int, expected: int) -> None:
    assert nearest_rank(range(1, count + 1), percent) == expected


def test_p99_is_told_from_a_thousand_values_only() -> None:
    assert p99(range(999)) is None
    assert p99(range(1, 1001)) == 990


@pytest.mark.parametrize("percent", [0, -1, 101])
def test_what_is_no_percentage_is_refused(percent: int) -> None:
    with pytest.raises(ValueError, match="between 1 and 100"):
        nearest_rank([1], percent)


def test_no_values_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        nearest_rank([], 50)


def chance_of_at_most(successes: int, *, count: int, percent: int) -> Fraction:
    """Of a binomial distribution, in whole numbers and thus exact."""
    ratio = Fraction(percent, 100)
    return sum(
        (comb(count, one) * ratio**one * (1 - ratio) ** (count - one) for one in range(successes + 1)),
        start=Fraction(0),
    )


@settings(max_examples=40)
@given(count=st.integers(1, 400), percent=st.sampled_from([50, 90, 95, 99]))
def test_an_interval_is_the_narrowest_that_leaves_out_no_more_than_it_may(count: int, percent: int) -> None:
    def chance(successes: int) -> Fraction:
        return chance_of_at_most(successes, count=count, percent=percent)

    most = Fraction(25, 1000)
    ranks = interval_ranks(count, percent)
    if ranks is None:
        assert chance(0) > most or 1 - chance(count - 1) > most, "there was one"
        return
    low, high = ranks
    assert chance(low - 1) <= most < chance(low), "below the lower end"
    assert 1 - chance(high - 1) <= most < 1 - chance(high - 2), "from the upper end on"


@pytest.mark.parametrize(
    ("percent", "enough"), [(50, 6), (90, 36), (95, 72), (99, 368)], ids=["p50", "p90", "p95", "p99"]
)
def test_too_few_values_have_no_interval(percent: int, enough: int) -> None:
    assert interval_ranks(enough - 1, percent) is None
    assert interval_ranks(enough, percent) is not None


@pytest.mark.parametrize("percent", [50, 90, 95, 99])
def test_intervals_of_a_million_values_are_narrow_and_close_to_the_normal_distributions(percent: int) -> None:
    ratio = percent / 100
    half_width = 1.959964 * (1_000_000 * ratio * (1 - ratio)) ** 0.5
    ranks = interval_ranks(1_000_000, percent)
    assert ranks is not None
    assert ranks[0] == pytest.approx(ratio * 1_000_000 - half_width, abs=3)
    assert ranks[1] == pytest.approx(ratio * 1_000_000 + half_width, abs=3)


@pytest.mark.parametrize(("count", "percent"), [(100, 50), (400, 95), (1_000, 99)])
def test_intervals_hold_the_true_percentile_as_often_as_they_say(count: int, percent: int) -> None:
    chance, truth = Random(7), percent / 100  # of values that are evenly spread from 0 to 1
    ranks = interval_ranks(count, percent)
    assert ranks is not None
    held = 0
    for _ in range(1_000):
        values = sorted(chance.random() for _ in range(count))
        held += values[ranks[0] - 1] <= truth <= values[ranks[1] - 1]
    assert 0.935 <= held / 1_000 <= 0.995
