"""Latencies drawn with characters: on one scale, nothing lost, and no report from outside breaks it."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.report.histogram import histograms
from loadtest.stats.curves import Bin, Curves
from tests.unit.report import values


def _edge_ms(place: int) -> float:
    return float(10 ** (place / 20))


def curves(**hosts: dict[int, int]) -> Curves:
    """Of each host so many samples in the bin of that place; bins between are empty."""
    return Curves(
        span_s=1.0,
        hosts={
            name: replace(
                values.HOST_CURVES,
                histogram=tuple(
                    Bin(low_ms=_edge_ms(place), high_ms=_edge_ms(place + 1), samples=counts.get(place, 0))
                    for place in range(min(counts), max(counts) + 1)
                ),
            )
            for name, counts in hosts.items()
        },
    )


def drawn(curves: Curves) -> list[str]:
    body = histograms(curves).body
    return body.split("```text\n")[1].split("\n```")[0].splitlines()


def test_hosts_stand_on_one_scale_each_by_its_own_most() -> None:
    assert drawn(curves(foo={0: 1, 1: 8, 2: 4, 19: 1}, quick={3: 5})) == [
        "foo   ▂█▅                ▂",
        "quick    █",
        "      1.00 ms      10.0 ms",
    ]


def test_a_single_answer_among_a_million_is_seen() -> None:
    assert drawn(curves(foo={0: 1_000_000, 30: 1}))[0] == "foo █" + " " * 29 + "▁"


def test_nothing_answered_draws_nothing() -> None:
    assert histograms(Curves(span_s=1.0, hosts={})).body == ""
    nothing = replace(values.HOST_CURVES, histogram=())
    assert histograms(Curves(span_s=1.0, hosts={"foo": nothing})).body == ""


@pytest.mark.parametrize(
    "forged",
    [
        Bin(low_ms=0.0, high_ms=1.0, samples=1),
        Bin(low_ms=2.0, high_ms=1.0, samples=1),
        Bin(low_ms=1.0, high_ms=math.inf, samples=1),
        Bin(low_ms=1.0, high_ms=1.0 + 1e-12, samples=1),
        Bin(low_ms=1.0, high_ms=2.0, samples=-1),
    ],
    ids=["from nought", "backwards", "endless", "too fine", "fewer than none"],
)
def test_bins_that_no_run_of_ours_has_draw_nothing(forged: Bin) -> None:
    far = Bin(low_ms=1e6, high_ms=2e6, samples=1)
    one = replace(values.HOST_CURVES, histogram=(forged, far))
    assert histograms(Curves(span_s=1.0, hosts={"foo": one})).body == ""


@given(st.dictionaries(st.integers(-60, 50), st.integers(1, 10**9), min_size=1))
def test_every_bin_with_an_answer_has_a_bar_and_no_other_has(counts: dict[int, int]) -> None:
    bars = drawn(curves(foo=counts))[0].removeprefix("foo ")
    first = min(counts)
    assert {first + place for place, bar in enumerate(bars) if bar != " "} == set(counts)


_ANY = st.floats(allow_nan=False)


@given(st.lists(st.builds(Bin, low_ms=_ANY, high_ms=_ANY, samples=st.integers()), max_size=5))
def test_no_bins_at_all_break_it(bins: list[Bin]) -> None:
    one = replace(values.HOST_CURVES, histogram=tuple(bins))
    histograms(Curves(span_s=1.0, hosts={"foo": one}))
