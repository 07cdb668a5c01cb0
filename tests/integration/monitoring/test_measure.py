"""Measuring against a loopback server: waiting for late readings, within a bound."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType

import pytest

from loadtest.cluster.kubectl import kubectl_for
from loadtest.errors import MonitoringError, UsageError
from loadtest.monitoring.client import PrometheusClient
from loadtest.monitoring.edges import Edges
from loadtest.monitoring.measure import ask, measure, watch
from loadtest.monitoring.model import ResourceUsage
from loadtest.monitoring.queries import Metric
from loadtest.monitoring.resources import Readings
from loadtest.target import TargetEnvironment
from tests.integration.loopback import Answer, Asked, LoopbackServer, loopback_server
from tests.integration.monitoring.prometheus_answers import answer_from, clock, failure
from tests.unit.monitoring.values import (
    INGRESS_POD,
    empty_readings,
    monitoring_target,
    question,
    readings_of_all,
    target,
    window,
)


@dataclass(kw_only=True)
class FakeTime:
    """A clock that only sleeping moves."""

    now_s: float
    slept: list[float] = field(default_factory=list)

    def unix_s(self) -> float:
        return self.now_s

    def unix_ns(self) -> int:
        return round(self.now_s * 1e9)

    def sleep(self, duration_s: float) -> None:
        self.slept.append(duration_s)
        self.now_s += duration_s


@contextmanager
def prometheus(
    clock: FakeTime, *, read_until_s: Readings | None = None, lag_s: float = 0.0
) -> Iterator[LoopbackServer]:
    """A Prometheus that knows readings up to `lag_s` before the present."""

    def respond(asked: Asked) -> Answer:
        known: Readings = read_until_s if read_until_s is not None else readings_of_all(clock.now_s - lag_s)
        return answer_from(known, asked)

    with loopback_server(respond) as server:
        yield server


def test_what_has_been_read_already_is_not_waited_for() -> None:
    clock = FakeTime(now_s=103)
    with prometheus(clock) as server, PrometheusClient(server.url) as client:
        usage = ask(client, question(100, 102), edges=Edges(), sleep=clock.sleep, unix_s=clock.unix_s)
    assert (usage.waited_s, clock.slept, usage.problems) == (0, [], ())
    assert usage.scopes[0].cpu_seconds == 1.0


def test_late_readings_are_waited_for_and_the_wait_is_told() -> None:
    clock, said = FakeTime(now_s=102), list[str]()
    with prometheus(clock, lag_s=3) as server, PrometheusClient(server.url) as client:
        usage = ask(
            client, question(100, 102), edges=Edges(), say=said.append, sleep=clock.sleep, unix_s=clock.unix_s
        )
    assert usage.waited_s == pytest.approx(3)
    assert usage.problems == ()
    assert usage.scopes[0].cpu_seconds == 1.0
    assert set(said) == {"waiting for readings newer than the load"}


def test_readings_that_never_come_are_waited_for_a_few_seconds_and_missed_in_words() -> None:
    clock = FakeTime(now_s=102)
    with (
        prometheus(clock, read_until_s=readings_of_all(101)) as server,
        PrometheusClient(server.url) as client,
    ):
        usage = ask(client, question(97, 102), edges=Edges(), sleep=clock.sleep, unix_s=clock.unix_s)
    assert 5 < usage.waited_s <= 6
    assert any("no reading after the load" in problem for problem in usage.problems)


def test_a_prometheus_that_knows_nothing_gives_missing_figures() -> None:
    clock = FakeTime(now_s=102)
    with prometheus(clock, read_until_s=empty_readings()) as server, PrometheusClient(server.url) as client:
        usage = ask(client, question(), edges=Edges(), sleep=clock.sleep, unix_s=clock.unix_s)
    assert {None} == {scope.cpu_cores.average for scope in usage.scopes}
    assert "cluster: CPU: no readings" in usage.problems


def test_a_prometheus_that_refuses_is_an_error_and_no_figure() -> None:
    with (
        loopback_server(lambda asked: failure(422, "execution", "too many samples")) as server,
        PrometheusClient(server.url) as client,
        pytest.raises(MonitoringError, match="too many samples"),
    ):
        ask(client, question(), edges=Edges())


def test_the_query_reaches_from_now_to_well_before_the_load() -> None:
    clock = FakeTime(now_s=103)
    with prometheus(clock) as server, PrometheusClient(server.url) as client:
        ask(client, question(100, 102), edges=Edges(), sleep=clock.sleep, unix_s=clock.unix_s)
    assert {one.parameters["query"].rsplit("[")[1] for one in server.asked} == {"43000ms]"}
    assert len(server.asked) == len(Metric)


@pytest.mark.parametrize(
    ("duration_s", "interval_s", "said"),
    [(10, 1, "below the scrape interval of 2 s"), (5, 6, "above the duration of 5 s")],
)
def test_watching_finer_than_scraped_or_longer_than_asked_is_refused(
    duration_s: float, interval_s: float, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        watch(target(), duration_s=duration_s, interval_s=interval_s)


class TestTheWayToPrometheus:
    """From the target alone, with a program that answers as kubectl does."""

    @pytest.fixture(autouse=True)
    def cluster(self, kubectl_on_path: Callable[[dict[str, dict[str, object]]], None]) -> None:
        self.kubectl_answers = kubectl_on_path
        self.pods = {
            "metadata": {"name": INGRESS_POD, "namespace": "ingress"},
            "spec": {"hostNetwork": True},
        }

    def answers(self, port: int) -> dict[str, dict[str, object]]:
        forwarding = f"Forwarding from 127.0.0.1:{port} -> 9090\n"
        return {
            "get pods": {"stdout": json.dumps({"items": [self.pods]})},
            "port-forward": {"stdout": forwarding, "stays_s": 60},
        }

    def measured(
        self, stack: TargetEnvironment, requests: Mapping[str, int] = MappingProxyType({})
    ) -> ResourceUsage:
        kubectl = kubectl_for(stack.cluster)
        return measure(stack, window(100, 102), requests, edges=Edges(), kubectl=kubectl)

    def test_is_the_clusters_own_loopback_port(self) -> None:
        clock = FakeTime(now_s=103)
        with prometheus(clock) as server:
            self.kubectl_answers(self.answers(port=1))
            stack = target(monitoring=monitoring_target(server.port))
            usage = self.measured(stack, {"foo.localhost": 10})
        assert usage.scopes[0].cpu_seconds_per_1000_requests == pytest.approx(100)

    def test_is_a_port_forward_where_there_is_no_such_port(self) -> None:
        clock = FakeTime(now_s=103)
        with prometheus(clock) as server:
            self.kubectl_answers(self.answers(server.port))
            usage = self.measured(target(monitoring=monitoring_target(None)))
        assert usage.scopes[0].cpu_seconds == 1.0

    def test_a_pod_on_its_nodes_network_has_no_traffic_of_its_own(self) -> None:
        clock = FakeTime(now_s=103)
        with prometheus(clock) as server:
            self.kubectl_answers(self.answers(port=1))
            usage = self.measured(target(monitoring=monitoring_target(server.port)))
        ingress, cluster = usage.scopes[2:]
        assert ingress.network_receive_bytes_per_s.average is None
        assert cluster.network_receive_bytes_per_s.average == 2000
        assert usage.waited_s < 1, "traffic that is left out must not be waited for"

    @pytest.mark.parametrize(("provider", "told"), [("existing", True), ("kind", False)])
    def test_another_clock_than_this_machines_is_told_where_there_may_be_one(
        self, provider: str, told: bool
    ) -> None:
        def respond(asked: Asked) -> Answer:
            is_clock = asked.parameters["query"] == "time()"
            return clock(0.0) if is_clock else answer_from(readings_of_all(103), asked)

        with loopback_server(respond) as server:
            self.kubectl_answers(self.answers(port=1))
            stack = target(monitoring=monitoring_target(server.port), provider=provider)
            usage = self.measured(stack)
        assert told == any("behind this machine's" in one for one in usage.problems)

    def test_watching_measures_from_now_on_for_as_long_as_asked(self) -> None:
        clock = FakeTime(now_s=100)
        with prometheus(clock) as server:
            self.kubectl_answers(self.answers(port=1))
            stack = target(monitoring=monitoring_target(server.port), provider="existing")
            usage = watch(stack, duration_s=10, interval_s=4, sleep=clock.sleep, unix_ns=clock.unix_ns)
        assert (usage.window.started_unix_ns, usage.window.duration_s) == (100 * 10**9, 10)
        assert clock.slept == [4, 4, 2]
        assert usage.scopes[0].cpu_cores.average == pytest.approx(0.5)
