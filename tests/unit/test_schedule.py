"""When requests are due and to whom they go: exact, balanced, and the same again for the same seed."""

from collections import Counter
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.plan import Arrivals, ConstantRate, RampingRate, Stage
from loadtest.schedule import host_order, schedule

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


RATES = st.floats(0.5, 3_000)
STAGES = st.lists(
    st.builds(Stage, rate_rps=st.floats(0, 3_000), duration_s=st.sampled_from([0.0, 0.25, 1.0, 2.5])),
    min_size=1,
    max_size=4,
).map(tuple)
PROFILES = st.one_of(
    st.builds(ConstantRate, rate_rps=RATES, duration_s=st.floats(0.5, 3), arrivals=st.sampled_from(Arrivals)),
    st.builds(RampingRate, rate_rps=RATES, stages=STAGES, arrivals=st.sampled_from(Arrivals)),
).filter(lambda profile: profile.planned_requests > 0)
SEEDS = st.integers(-(2**40), 2**70)


def duration_s(profile: ConstantRate | RampingRate) -> float:
    return sum(stage.duration_s for stage in profile.stages)


def due_by(profile: ConstantRate | RampingRate, at_s: float) -> float:
    """The integral of the rate, stage by stage."""
    due, began_s, before_rps = 0.0, 0.0, profile.rate_rps
    for stage in profile.stages:
        within_s = min(max(at_s - began_s, 0.0), stage.duration_s)
        if within_s:
            reached_rps = before_rps + (stage.rate_rps - before_rps) * within_s / stage.duration_s
            due += (before_rps + reached_rps) / 2 * within_s
        began_s, before_rps = began_s + stage.duration_s, stage.rate_rps
    return due


@given(profile=PROFILES, hosts=st.integers(1, 5), seed=SEEDS)
def test_a_schedule_has_the_planned_requests_in_order_within_the_window(
    profile: ConstantRate | RampingRate, hosts: int, seed: int
) -> None:
    made = schedule(profile, hosts=hosts, seed=seed)
    assert profile.planned_requests == len(made) == len(made.host_numbers)
    assert (np.diff(made.intended_ns) >= 0).all()
    assert 0 <= made.intended_ns[0]
    assert made.intended_ns[-1] <= duration_s(profile) * 1e9


@given(profile=PROFILES, seed=SEEDS)
def test_even_arrivals_come_when_the_rate_has_them_due(
    profile: ConstantRate | RampingRate, seed: int
) -> None:
    even = msgspec.structs.replace(profile, arrivals=Arrivals.EVEN)
    made = schedule(even, hosts=1, seed=seed)
    for number in range(0, len(made), max(1, len(made) // 50)):
        assert due_by(even, made.intended_ns[number] / 1e9) == pytest.approx(number, abs=0.01)


@given(profile=PROFILES, hosts=st.integers(1, 5), seed=SEEDS)
def test_every_host_of_a_schedule_gets_as_many_requests_as_any_other_or_one_more(
    profile: ConstantRate | RampingRate, hosts: int, seed: int
) -> None:
    made = schedule(profile, hosts=hosts, seed=seed)
    counts = np.bincount(made.host_numbers, minlength=hosts)
    assert counts.sum() == len(made)
    assert counts.max() - counts.min() <= 1


@given(profile=PROFILES, hosts=st.integers(1, 3), seed=SEEDS)
def test_the_same_seed_gives_the_same_schedule(
    profile: ConstantRate | RampingRate, hosts: int, seed: int
) -> None:
    one, same = schedule(profile, hosts=hosts, seed=seed), schedule(profile, hosts=hosts, seed=seed)
    assert (one.intended_ns == same.intended_ns).all()
    assert (one.host_numbers == same.host_numbers).all()


@given(profile=PROFILES, seed=SEEDS, processes=st.integers(1, 7))
def test_shares_are_all_of_the_schedule_and_as_large_as_each_other(
    profile: ConstantRate | RampingRate, seed: int, processes: int
) -> None:
    whole = schedule(profile, hosts=2, seed=seed)
    shares = [whole.share(number, of=processes) for number in range(processes)]
    for name in ("intended_ns", "host_numbers"):
        joined = np.concatenate([getattr(share, name) for share in shares])
        assert (np.sort(joined) == np.sort(getattr(whole, name))).all()
    sizes = [len(share) for share in shares]
    assert max(sizes) - min(sizes) <= 1


@given(rate_rps=RATES, processes=st.integers(1, 7), number=st.integers(0, 6))
def test_a_share_of_even_arrivals_is_even(rate_rps: float, processes: int, number: int) -> None:
    share = schedule(ConstantRate(rate_rps=rate_rps, duration_s=2), hosts=1, seed=1).share(
        number % processes, of=processes
    )
    gaps_ns = np.diff(share.intended_ns)
    assert gaps_ns == pytest.approx(processes / rate_rps * 1e9, abs=2)


def test_another_seed_gives_another_schedule() -> None:
    profile = ConstantRate(rate_rps=100, duration_s=1, arrivals=Arrivals.POISSON)
    assert len({schedule(profile, hosts=1, seed=seed).intended_ns.tobytes() for seed in range(20)}) == 20


def test_even_arrivals_are_as_far_from_each_other_as_the_rate_says() -> None:
    made = schedule(ConstantRate(rate_rps=1_000, duration_s=2), hosts=1, seed=1)
    assert set(np.diff(made.intended_ns)) <= {999_999, 1_000_000, 1_000_001}


def test_poisson_arrivals_have_the_gaps_of_clients_who_know_nothing_of_each_other() -> None:
    profile = ConstantRate(rate_rps=1_000, duration_s=50, arrivals=Arrivals.POISSON)
    gaps_s = np.diff(schedule(profile, hosts=1, seed=1).intended_ns) / 1e9
    assert gaps_s.mean() == pytest.approx(0.001, rel=0.01)
    assert gaps_s.std() == pytest.approx(0.001, rel=0.05), "of an exponential distribution both are the same"
    assert (gaps_s > 0.003).mean() == pytest.approx(np.exp(-3), rel=0.15)


def test_a_step_is_a_stage_that_takes_no_time() -> None:
    steps = RampingRate(
        rate_rps=100,
        stages=(
            Stage(rate_rps=100, duration_s=1),
            Stage(rate_rps=300, duration_s=0),
            Stage(rate_rps=300, duration_s=1),
        ),
    )
    first, second = np.bincount(schedule(steps, hosts=1, seed=1).intended_ns // 10**9, minlength=2)
    assert (100, 300) == (first, second)


def test_hosts_of_an_open_loop_come_by_chance_so_that_each_process_sends_to_all() -> None:
    whole = schedule(ConstantRate(rate_rps=100, duration_s=2), hosts=2, seed=1)
    for number in range(2):
        assert {0, 1} == set(whole.share(number, of=2).host_numbers.tolist())
