"""From readings to the resources of a load."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from loadtest.monitoring.model import ResourceUsage, ScopeUsage, Total, is_wider
from loadtest.monitoring.queries import LOOKBACK_S, OF_EVERY_CONTAINER, STALLED, THROTTLING, Metric
from loadtest.monitoring.readings import RawSeries
from loadtest.monitoring.resources import relevant, settled, usage_from
from tests.unit.monitoring.values import (
    BAR_POD,
    FOO_POD,
    INGRESS_POD,
    empty_readings,
    question,
    readings_of_all,
    row,
    window,
)


def scope(usage: ResourceUsage, name: str) -> ScopeUsage:
    return next(one for one in usage.scopes if one.scope == name)


def test_each_app_the_ingress_and_the_cluster_have_their_own_figures() -> None:
    usage = usage_from(readings_of_all(), question(), waited_s=1.5)
    assert [one.scope for one in usage.scopes] == ["foo", "bar", "ingress", "cluster"]
    assert [one.cpu_seconds for one in usage.scopes] == [1.0, 0.5, 2.0, 3.5]
    assert [one.cpu_cores.average for one in usage.scopes] == [0.5, 0.25, 1.0, 1.75]
    assert [one.running_pods.average for one in usage.scopes] == [1.0, 1.0, 1.0, 3.0]
    assert [one.memory_bytes.maximum for one in usage.scopes] == [5e6, 5e6, 5e6, 15e6]
    assert scope(usage, "cluster").network_transmit_bytes_per_s.average == 3000
    assert (usage.problems, usage.waited_s) == ((), 1.5)


def test_cpu_is_told_per_thousand_requests_of_the_scopes_own_host() -> None:
    usage = usage_from(readings_of_all(), question(), waited_s=0)
    assert [
        pytest.approx(1.0 / 150 * 1000),
        pytest.approx(0.5 / 50 * 1000),
        pytest.approx(2.0 / 200 * 1000),
        pytest.approx(3.5 / 200 * 1000),
    ] == [one.cpu_seconds_per_1000_requests for one in usage.scopes]


def test_without_requests_there_is_no_figure_per_request() -> None:
    usage = usage_from(readings_of_all(), question(requests={}), waited_s=0)
    assert {None} == {one.cpu_seconds_per_1000_requests for one in usage.scopes}


def test_a_load_shorter_than_the_time_between_readings_is_measured_by_those_around_it() -> None:
    usage = usage_from(readings_of_all(), question(100.5, 100.7), waited_s=0)
    assert (scope(usage, "foo").cpu_seconds, scope(usage, "foo").cpu_window_s) == (1.0, 2.0)
    assert usage.widest_cpu_window_s == 2.0


def test_cpu_counted_mostly_without_the_load_is_not_told_per_request() -> None:
    usage = usage_from(readings_of_all(), question(100.5, 100.7), waited_s=0)
    assert {None} == {one.cpu_seconds_per_1000_requests for one in usage.scopes}
    assert [problem for problem in usage.problems if "CPU per 1,000" in problem] == [
        "CPU per 1,000 requests: the load was too short to tell, 0.2 s, while CPU was counted over up to "
        "2 s, idle time included: send more requests to learn it"
    ]


def test_a_short_span_that_was_only_watched_misses_no_figure_per_request() -> None:
    assert usage_from(readings_of_all(), question(100.5, 100.7, requests={}), waited_s=0).problems == ()


@pytest.mark.parametrize(("cpu_window_s", "expected"), [(15.0, False), (15.1, True)])
def test_readings_up_to_half_as_long_again_as_the_load_are_of_the_load(
    cpu_window_s: float, expected: bool
) -> None:
    assert is_wider(cpu_window_s, window(100, 110)) is expected


def test_where_nothing_was_read_every_figure_is_missing_and_said_so() -> None:
    usage = usage_from(empty_readings(), question(), waited_s=0)
    for one in usage.scopes:
        figures = (one.cpu_cores, one.memory_bytes, one.network_receive_bytes_per_s, one.running_pods)
        assert {(None, 0)} == {(figure.average, figure.samples) for figure in figures}
        assert (one.cpu_seconds, one.cpu_seconds_per_1000_requests) == (None, None)
    for expected in (
        "foo: CPU: no readings",
        "bar: memory: no readings",
        "ingress: running pods: none was seen",
    ):
        assert expected in usage.problems


def test_what_held_containers_back_is_told_with_its_readings() -> None:
    usage = usage_from(readings_of_all(), question(), waited_s=0)
    foo, cluster = scope(usage, "foo"), scope(usage, "cluster")
    assert (foo.cpu_throttled_s, foo.cpu_throttled_ratio) == (Total(value=0.25, samples=2), 0.2)
    assert (foo.cpu_stalled_s, foo.memory_stalled_s, foo.io_stalled_s) == (
        Total(value=0.5, samples=2),
        Total(value=0.0, samples=2),
        Total(value=1.0, samples=2),
    )
    assert (cluster.cpu_throttled_s.value, cluster.cpu_throttled_ratio) == (0.75, pytest.approx(0.2))
    assert usage.untold == ()


def test_what_the_cluster_tells_of_no_container_is_missing_and_said_once() -> None:
    untold = dict.fromkeys((*THROTTLING, *STALLED.values()), ())
    usage = usage_from({**readings_of_all(), **untold}, question(), waited_s=0)
    foo = scope(usage, "foo")
    assert {foo.cpu_throttled_s, foo.cpu_stalled_s, foo.memory_stalled_s} == {Total(value=None, samples=0)}
    assert foo.cpu_throttled_ratio is None
    assert [text.split(":")[0] for text in usage.untold] == ["throttling", "stalls"]
    assert usage.problems == (), "it is no fault of this run"


def test_without_a_limit_there_are_no_periods_to_be_held_back_in() -> None:
    readings = {
        **readings_of_all(),
        Metric.CPU_PERIODS: [row("apps", FOO_POD, (99, 0), (103, 0), container="main")],
    }
    assert scope(usage_from(readings, question(), waited_s=0), "foo").cpu_throttled_ratio is None


def test_an_app_without_rows_is_missing_while_the_others_stand() -> None:
    readings = {
        metric: [one for one in rows if one.labels["pod"] != BAR_POD]
        for metric, rows in readings_of_all().items()
    }
    usage = usage_from(readings, question(), waited_s=0)
    assert (scope(usage, "foo").cpu_seconds, scope(usage, "bar").cpu_seconds) == (1.0, None)
    assert {problem.split(":")[0] for problem in usage.problems} == {"bar"}


def test_readings_that_end_before_the_load_does_are_said_to() -> None:
    usage = usage_from(readings_of_all(until_s=101), question(95, 102), waited_s=6)
    assert scope(usage, "foo").cpu_seconds == pytest.approx(0.5 * 6)
    assert (
        "foo: CPU: 1 of 1 counters have no reading after the load: "
        "their use from their last one on is not counted" in usage.problems
    )


def test_the_memory_of_an_idle_app_is_what_was_read_last_though_long_before() -> None:
    readings = dict(readings_of_all())
    readings[Metric.MEMORY_BYTES] = [row("apps", FOO_POD, (70, 7e6), container="main")]
    assert scope(usage_from(readings, question(), waited_s=0), "foo").memory_bytes.average == 7e6


def test_memory_of_a_container_that_was_not_read_before_the_load_is_said_to_be_left_out() -> None:
    readings = dict(readings_of_all())
    late = row("apps", FOO_POD, (101, 9e6), (103, 9e6), container="sidecar")
    readings[Metric.MEMORY_BYTES] = [*readings[Metric.MEMORY_BYTES], late]
    usage = usage_from(readings, question(), waited_s=0)
    assert scope(usage, "foo").memory_bytes.minimum == 5e6
    said = "have no reading before the load: they are not counted up to their first one"
    assert usage.problems == (
        f"foo: memory: 1 of 2 containers {said}",
        f"cluster: memory: 1 of 4 containers {said}",
    )


def test_a_restarted_container_adds_to_what_its_predecessor_used() -> None:
    readings = dict(readings_of_all())
    readings[Metric.CPU_SECONDS] = [
        row("apps", FOO_POD, (98, 10), (100, 11), (102, 12), container="main", id="old"),
        row("apps", FOO_POD, (102.5, 0.5), (104, 2), (106, 3), container="main", id="new"),
    ]
    usage = usage_from(readings, question(100, 105), waited_s=0)
    assert scope(usage, "foo").cpu_seconds == pytest.approx(1 + 2.5)
    assert any("no reading before the load" in problem for problem in usage.problems)


def test_a_wider_interval_thins_the_readings() -> None:
    all_of_them = usage_from(readings_of_all(140), question(100, 130), waited_s=0)
    fewer = usage_from(readings_of_all(140), replace(question(100, 130), interval_s=10), waited_s=0)
    assert scope(all_of_them, "foo").cpu_cores.samples == 16
    assert scope(fewer, "foo").cpu_cores.samples < 7
    assert scope(fewer, "foo").cpu_cores.average == pytest.approx(0.5)


def test_thinning_keeps_the_readings_that_bracket_the_window() -> None:
    usage = usage_from(readings_of_all(140), replace(question(105, 117), interval_s=7), waited_s=0)
    assert scope(usage, "foo").cpu_window_s == 14, "from 104 to 118 s, whatever was read before"


class TestRelevant:
    def test_the_nodes_traffic_is_not_a_pods(self) -> None:
        asked = replace(question(), host_network_pods=frozenset({("ingress", INGRESS_POD)}))
        chosen = relevant(readings_of_all(), asked)
        assert {FOO_POD, BAR_POD} == {one.labels["pod"] for one in chosen[Metric.RECEIVED_BYTES]}
        assert INGRESS_POD in {one.labels["pod"] for one in chosen[Metric.CPU_SECONDS]}

    def test_a_pod_that_was_gone_before_the_load_is_left_out_of_everything(self) -> None:
        readings: dict[Metric, Sequence[RawSeries]] = {
            metric: [*rows, row("apps", "foo-5d8f7c9b4-zzzzz", (60, 1), (90, 2), container="main")]
            for metric, rows in readings_of_all().items()
        }
        assert relevant(readings, question()) == readings_of_all()

    def test_a_pod_that_goes_during_the_load_stays_in(self) -> None:
        gone = row("apps", "foo-5d8f7c9b4-zzzzz", (98, 1), (100.5, 2), container="main")
        readings = {metric: [*rows, gone] for metric, rows in readings_of_all().items()}
        assert gone in relevant(readings, question())[Metric.CPU_SECONDS]


class TestSettled:
    def test_readings_past_the_load_of_apps_and_ingress_settle_it(self) -> None:
        assert settled(readings_of_all(until_s=102), question())

    def test_readings_that_end_before_it_do_not(self) -> None:
        assert not settled(readings_of_all(until_s=100), question())

    @pytest.mark.parametrize("metric", OF_EVERY_CONTAINER)
    def test_one_late_row_is_enough_not_to(self, metric: Metric) -> None:
        readings = dict(readings_of_all())
        first, *others = readings[metric]
        readings[metric] = [RawSeries(labels=first.labels, readings=first.readings[:-2]), *others]
        assert not settled(readings, question(100, 103))

    @pytest.mark.parametrize("metric", OF_EVERY_CONTAINER)
    def test_one_row_that_is_not_there_is_enough_not_to(self, metric: Metric) -> None:
        readings = dict(readings_of_all())
        readings[metric] = readings[metric][1:]
        assert not settled(readings, question())

    @pytest.mark.parametrize("metric", [*THROTTLING, *STALLED.values()])
    def test_what_not_every_container_has_is_not_waited_for(self, metric: Metric) -> None:
        assert settled({**readings_of_all(), metric: []}, question())

    def test_an_old_container_of_a_living_pod_is_not_waited_for(self) -> None:
        readings = dict(readings_of_all())
        old = row("apps", FOO_POD, (90, 1), container="main", id="old")
        readings[Metric.CPU_SECONDS] = [*readings[Metric.CPU_SECONDS], old]
        assert settled(readings, question())

    def test_idle_pods_elsewhere_in_the_cluster_are_not_waited_for(self) -> None:
        readings = {
            metric: [*rows, row("kube-system", "coredns-1", (80, 1), container="main")]
            for metric, rows in readings_of_all().items()
        }
        assert settled(readings, question())


def test_the_lookback_reaches_past_the_longest_pause_of_cadvisor() -> None:
    longest_pause_s = 2 * 15  # its longest interval, doubled at most by its jitter
    assert longest_pause_s < LOOKBACK_S
