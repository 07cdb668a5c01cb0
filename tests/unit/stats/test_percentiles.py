"""Nearest-rank percentiles against their definition, not against another implementation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.stats.percentiles import nearest_rank, p99

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
