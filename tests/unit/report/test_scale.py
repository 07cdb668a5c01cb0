"""The values beside an axis: round ones, few, all within it, and never a part of what is whole."""

from math import log10

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.report import figures
from loadtest.report.page.scale import counted, linear, logarithmic, sized

SIZES = st.floats(1e-6, 1e9)


@given(high=SIZES)
def test_a_linear_axis_has_round_values_within_it(high: float) -> None:
    ticks = linear(high, start=0, end=100).ticks()
    assert 2 <= len(ticks) <= 9
    assert ticks[0] == 0
    assert ticks[-1] <= high * (1 + 1e-6)


@given(values=st.lists(SIZES, min_size=1))
def test_a_logarithmic_axis_has_room_for_every_value(values: list[float]) -> None:
    scale = logarithmic(values, start=100, end=0)
    assert scale.low <= min(values) * (1 + 1e-6)
    assert max(values) <= scale.high * (1 + 1e-6)
    assert all(scale.low * (1 - 1e-6) <= tick <= scale.high * (1 + 1e-6) for tick in scale.ticks())


def test_equal_ratios_are_equally_far_apart() -> None:
    scale = logarithmic([1, 1_000], start=0, end=300)
    assert [round(scale.at(value)) for value in (1, 10, 100, 1_000)] == [0, 100, 200, 300]
    assert scale.at(2) == pytest.approx(100 * log10(2))


@pytest.mark.parametrize("value", [0.0, -1.0, 1e9])
def test_what_lies_outside_is_drawn_at_the_edge(value: float) -> None:
    assert logarithmic([1, 10], start=0, end=100).at(value) in {0, 100}


@pytest.mark.parametrize("most", [0, 1, 3, 4, 7, 190])
def test_of_whole_things_no_part_is_named(most: int) -> None:
    assert all(tick.is_integer() for tick in counted(most, start=0, end=100).ticks())


def test_sizes_are_round_in_the_unit_they_are_written_in() -> None:
    ticks = sized(13 * 2**20, start=0, end=100).ticks()
    assert list(map(figures.size, ticks))[1:3] == ["2.00 MiB", "4.00 MiB"]
