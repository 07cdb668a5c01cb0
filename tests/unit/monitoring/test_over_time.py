"""From readings to the curve of what a scope used."""

from collections.abc import Sequence

import pytest

from loadtest.monitoring.over_time import over_time
from loadtest.monitoring.readings import Reading, Span

TEN_SECONDS = Span(start_s=100.0, end_s=110.0)


def rows(*readings: tuple[float, float]) -> list[Sequence[Reading]]:
    return [[Reading(at_s=at_s, value=value) for at_s, value in readings]]


def test_each_part_has_the_rate_and_the_size_of_its_own_readings() -> None:
    cpu = rows((99.0, 0.0), (105.0, 3.0), (111.0, 15.0))  # half a core, then two
    memory = rows((99.0, 10.0), (105.0, 30.0), (111.0, 30.0))
    parts = over_time(cpu, memory, TEN_SECONDS, interval_s=2.5, hold_s=60)
    assert [one.at_s for one in parts] == [0.0, 2.5, 5.0, 7.5]
    assert [one.cpu_cores for one in parts] == [0.5, 0.5, 2.0, 2.0]
    assert [one.memory_bytes for one in parts] == [20.0, 20.0, 30.0, 30.0]


def test_the_parts_together_use_what_the_whole_did() -> None:
    cpu = rows((99.5, 0.0), (103.1, 2.0), (104.0, 2.5), (108.7, 9.0), (110.0, 10.0))
    parts = over_time(cpu, [], TEN_SECONDS, interval_s=1.0, hold_s=60)
    used_s = sum((one.cpu_cores or 0.0) * 1.0 for one in parts)
    assert used_s == pytest.approx(10.0 - 2.0 * 0.5 / 3.6)


def test_several_containers_add_up() -> None:
    cpu = rows((99.0, 0.0), (111.0, 6.0)) + rows((99.0, 0.0), (111.0, 3.0))
    assert [one.cpu_cores for one in over_time(cpu, [], TEN_SECONDS, interval_s=5, hold_s=60)] == [0.75, 0.75]


def test_what_was_not_read_is_missing_and_not_nought() -> None:
    parts = over_time(rows((100.0, 1.0), (105.0, 2.0)), [], TEN_SECONDS, interval_s=5, hold_s=60)
    assert [(one.cpu_cores, one.memory_bytes) for one in parts] == [(0.2, None), (None, None)]


@pytest.mark.parametrize(("interval_s", "parts"), [(10.0, 0), (6.0, 0), (5.0, 2), (0.001, 60)])
def test_a_curve_has_no_more_parts_than_readings_and_at_least_two(interval_s: float, parts: int) -> None:
    cpu = rows((100.0, 1.0), (110.0, 2.0))
    assert len(over_time(cpu, [], TEN_SECONDS, interval_s=interval_s, hold_s=60)) == parts
