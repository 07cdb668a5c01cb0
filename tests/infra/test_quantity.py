"""Kubernetes quantities are read exactly."""

from decimal import Decimal

import pytest

from infra.quantity import parse_quantity


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1", "1"),
        ("100m", "0.1"),
        ("0.5", "0.5"),
        ("64Mi", str(64 * 1024**2)),
        ("1G", "1000000000"),
        ("1Gi", str(1024**3)),
        ("2k", "2000"),
    ],
)
def test_a_quantity_is_its_exact_amount(text: str, amount: str) -> None:
    assert Decimal(amount) == parse_quantity(text)


@pytest.mark.parametrize("text", ["", "m", "1 Gi", "-1", "1gi", "1e3", "0x10", "1.", "\u0661"])
def test_what_is_no_quantity_is_none(text: str) -> None:
    assert parse_quantity(text) is None
