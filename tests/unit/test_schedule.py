"""The order of hosts: balanced, random, and the same again for the same seed."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.schedule import host_order

HOSTS = st.lists(st.text("abc", min_size=1, max_size=4), min_size=1, max_size=6, unique=True)


@given(hosts=HOSTS, requests=st.integers(0, 400), seed=st.integers())
def test_every_host_gets_as_many_requests_as_any_other_or_one_more(
    hosts: list[str], requests: int, seed: int
) -> None:
    counts = Counter(host_order(hosts, requests=requests, seed=seed))
    assert sum(counts.values()) == requests
    assert all(requests // len(hosts) <= counts[host] <= -(-requests // len(hosts)) for host in hosts)


def test_a_seed_fixes_the_order_on_every_machine_and_python() -> None:
    order = host_order(["foo", "bar"], requests=12, seed=1)
    assert " ".join(order) == "foo foo bar foo foo bar bar foo bar bar bar foo"


def test_another_seed_gives_another_order() -> None:
    orders = {tuple(host_order(["foo", "bar"], requests=40, seed=seed)) for seed in range(20)}
    assert len(orders) == 20


def test_the_order_is_no_fixed_rotation() -> None:
    order = host_order(["foo", "bar"], requests=400, seed=3)
    repeats = sum(one == next_one for one, next_one in pairwise(order))
    assert 150 < repeats < 250, "a rotation has none, a random order about half"


def test_chance_decides_which_host_gets_one_more() -> None:
    favoured = {
        Counter(host_order(["foo", "bar"], requests=3, seed=seed)).most_common(1)[0][0] for seed in range(20)
    }
    assert favoured == {"foo", "bar"}


def test_a_load_without_hosts_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one host"):
        host_order([], requests=1, seed=1)
