"""How figures are written: no false precision, no false nought, no false hundred."""

import pytest

from loadtest.report import figures


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "missing"),
        (float("nan"), "missing"),
        (0, "0"),
        (0.0001, "<0.001"),
        (-0.0001, "-<0.001"),
        (0.0456, "0.046"),
        (3.456, "3.46"),
        (20.84, "20.8"),
        (123.4, "123"),
        (1234.5, "1,234"),
    ],
)
def test_numbers_have_three_digits(value: float | None, expected: str) -> None:
    assert figures.number(value) == expected


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [
        (None, "missing"),
        (1.0, "100 %"),
        (0.999999, "99.99 %"),
        (0.995, "99.5 %"),
        (0.29, "29 %"),
        (0.00001, "<0.01 %"),
        (0.0, "0 %"),
        (1e308, "missing"),
    ],
)
def test_only_all_is_a_hundred_percent(ratio: float | None, expected: str) -> None:
    assert figures.percent(ratio) == expected


@pytest.mark.parametrize(
    ("value_bytes", "expected"),
    [
        (None, "missing"),
        (512, "512 B"),
        (1536, "1.50 KiB"),
        (12_582_912, "12.0 MiB"),
        (3 * 2**30, "3.00 GiB"),
        (5 * 2**40, "5,120 GiB"),
    ],
)
def test_sizes_have_a_binary_unit(value_bytes: float | None, expected: str) -> None:
    assert figures.size(value_bytes) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, "missing"), (2.0, "2"), (2, "2"), (1.5, "1.50")],
)
def test_counts_of_whole_things_are_whole(value: float | None, expected: str) -> None:
    assert figures.count(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, "missing"), (0.99995, "0.99995"), (1_073_741_824, "1,073,741,824"), (9.5, "9.5")],
)
def test_a_figure_held_against_a_limit_is_not_rounded_onto_it(value: float | None, expected: str) -> None:
    assert figures.precise(value) == expected


def test_missing_times_and_rates_are_missing() -> None:
    assert [write(None) for write in (figures.seconds, figures.milliseconds, figures.rate)] == ["missing"] * 3
