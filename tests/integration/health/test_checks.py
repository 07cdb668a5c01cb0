"""Each check of health against loopback servers and a program that answers as kubectl does."""

import json
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest

from loadtest.cluster.kubectl import Kubectl
from loadtest.health.checks import (
    AutoscalersActive,
    FirstAnswer,
    HostAnswers,
    NodesReady,
    PrometheusWatching,
    RolloutsComplete,
    autoscaler_checks,
    namespaces_of,
)
from loadtest.monitoring.queries import Metric
from loadtest.monitoring.readings import RawSeries
from loadtest.target import AutoscalerTarget
from tests.integration.fake_program import FakeProgram
from tests.integration.loopback import Answer, Asked, Respond, loopback_server
from tests.integration.monitoring.prometheus_answers import answer_from, failure, scraped, targets
from tests.unit.monitoring.values import (
    BAR_POD,
    FOO,
    ingress_target,
    monitoring_target,
    readings_of_all,
    target,
)

_READY = Answer(body=b"Prometheus Server is Ready.")
_UP = targets(scraped("up"))
_FOO = Answer(body=b"foo\n", content_type="text/plain")


class TestHostAnswers:
    def obstacle(self, respond: Respond, *, timeout_s: float = 5.0) -> tuple[str | None, list[Asked]]:
        with loopback_server(respond) as server:
            check = HostAnswers(app=FOO, ingress=ingress_target(server.port), consecutive=5)
            return check.obstacle(timeout_s), server.asked

    def test_the_right_body_five_times_in_a_row_passes(self) -> None:
        obstacle, asked = self.obstacle(lambda asked: _FOO)
        assert obstacle is None
        assert [one.headers["Host"] for one in asked] == ["foo.localhost"] * 5

    def test_each_answer_comes_over_a_connection_of_its_own(self) -> None:
        _, asked = self.obstacle(lambda asked: _FOO)
        assert {one.headers["Connection"] for one in asked} == {"close"}

    def test_another_hosts_body_does_not(self) -> None:
        obstacle, _ = self.obstacle(lambda asked: Answer(body=b"bar\n"))
        assert obstacle == "answer 1 of 5: the body is 'bar', not 'foo'"

    def test_one_wrong_answer_among_right_ones_does_not(self) -> None:
        answers = iter([_FOO, _FOO, Answer(status=503), _FOO, _FOO])
        obstacle, asked = self.obstacle(lambda asked: next(answers))
        assert (obstacle, len(asked)) == ("answer 3 of 5: status 503", 3)

    def test_the_right_body_with_the_wrong_status_does_not(self) -> None:
        obstacle, _ = self.obstacle(lambda asked: Answer(status=404, body=b"foo"))
        assert obstacle == "answer 1 of 5: status 404"

    def test_a_redirect_is_not_followed(self) -> None:
        obstacle, asked = self.obstacle(lambda asked: Answer(status=308))
        assert (obstacle, len(asked)) == ("answer 1 of 5: status 308", 1)

    def test_a_long_wrong_body_is_cut(self) -> None:
        obstacle, _ = self.obstacle(lambda asked: Answer(body=b"x" * 100_000))
        assert obstacle is not None
        assert len(obstacle) < 200

    def test_a_server_that_hangs_costs_no_more_than_the_time_limit(self) -> None:
        began_s = time.monotonic()
        obstacle, _ = self.obstacle(lambda asked: Answer(delay_s=30), timeout_s=0.5)
        assert obstacle is not None
        assert "ReadTimeout" in obstacle
        assert time.monotonic() - began_s < 3

    def test_nobody_listening_is_said(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            check = HostAnswers(app=FOO, ingress=ingress_target(taken.getsockname()[1]), consecutive=5)
            assert "ConnectError" in (check.obstacle(1.0) or "")

    def test_a_proxy_of_the_environment_is_not_asked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with loopback_server(lambda asked: Answer(status=502)) as proxy:
            monkeypatch.setenv("http_proxy", proxy.url)
            monkeypatch.setenv("no_proxy", "")
            assert self.obstacle(lambda asked: _FOO)[0] is None
        assert proxy.asked == []


class TestFirstAnswer:
    def obstacle(self, respond: Respond, *, timeout_s: float) -> tuple[str | None, list[Asked]]:
        with loopback_server(respond) as server:
            check = FirstAnswer(app=FOO, ingress=ingress_target(server.port))
            return check.obstacle(timeout_s), server.asked

    def test_one_right_answer_is_enough(self) -> None:
        obstacle, asked = self.obstacle(lambda asked: _FOO, timeout_s=5)
        assert (None, 1) == (obstacle, len(asked))

    def test_a_request_that_is_lost_is_followed_by_another_at_once(self) -> None:
        answers = iter([Answer(delay_s=30), Answer(delay_s=30), _FOO])
        began_s = time.monotonic()
        obstacle, asked = self.obstacle(lambda asked: next(answers), timeout_s=1.0)
        assert (None, 3) == (obstacle, len(asked))
        assert 0.4 <= time.monotonic() - began_s < 0.9

    def test_what_is_wrong_is_said_at_once(self) -> None:
        obstacle, asked = self.obstacle(lambda asked: Answer(status=503), timeout_s=5)
        assert ("status 503", 1) == (obstacle, len(asked))

    def test_a_way_that_stays_closed_costs_no_more_than_the_time_limit(self) -> None:
        began_s = time.monotonic()
        obstacle, asked = self.obstacle(lambda asked: Answer(delay_s=30), timeout_s=0.5)
        assert "ReadTimeout" in (obstacle or "")
        assert 3 <= len(asked) <= 5
        assert time.monotonic() - began_s < 2


def listed(*items: Mapping[str, object]) -> dict[str, object]:
    return {"stdout": json.dumps({"items": list(items)})}


class TestCluster:
    def test_ready_nodes_pass(self, program: FakeProgram, kubectl: Kubectl) -> None:
        ready = {"conditions": [{"type": "Ready", "status": "True"}]}
        program.answers({"get nodes": listed({"metadata": {"name": "a"}, "status": ready})})
        assert NodesReady(kubectl=kubectl, expected=1).obstacle(5) is None
        assert NodesReady(kubectl=kubectl, expected=2).obstacle(5) == "1 of 2 nodes have joined"

    def test_an_unfinished_rollout_of_ours_stands_in_the_way(
        self, program: FakeProgram, kubectl: Kubectl
    ) -> None:
        metadata = {"name": "foo", "namespace": "apps"}
        program.answers(
            {"get deployments": listed({"kind": "Deployment", "metadata": metadata, "spec": {"replicas": 1}})}
        )
        check = RolloutsComplete(kubectl=kubectl, namespaces=frozenset({"apps"}))
        assert check.obstacle(5) == "deployment apps/foo: 0 of 1 replicas are of the latest form"

    @pytest.mark.parametrize(("kind", "stands_in_the_way"), [("DaemonSet", True), ("Deployment", False)])
    def test_of_the_system_only_what_every_node_needs_stands_in_the_way(
        self, program: FakeProgram, kubectl: Kubectl, kind: str, stands_in_the_way: bool
    ) -> None:
        unfinished = {
            "kind": kind,
            "metadata": {"name": "system", "namespace": "kube-system"},
            "spec": {"replicas": 1},
            "status": {"desiredNumberScheduled": 1},
        }
        daemons = {"kind": "DaemonSet", "metadata": {"name": "proxy", "namespace": "kube-system"}}
        program.answers({"get deployments": listed(unfinished, daemons)})
        check = RolloutsComplete(kubectl=kubectl, namespaces=frozenset({"kube-system"}))
        assert bool(check.obstacle(5)) is stands_in_the_way

    def test_an_autoscaler_without_figures_stands_in_the_way(
        self, program: FakeProgram, kubectl: Kubectl
    ) -> None:
        found = {"metadata": {"name": "foo", "namespace": "apps"}, "spec": {"maxReplicas": 4}}
        program.answers({"get horizontalpodautoscalers": listed(found)})
        check = AutoscalersActive(kubectl=kubectl, apps=(FOO,))
        assert check.obstacle(5) == "autoscaler apps/foo: it has nothing to decide by"

    def test_a_cluster_that_does_not_answer_stands_in_the_way_in_its_own_words(
        self, program: FakeProgram, kubectl: Kubectl
    ) -> None:
        program.answers({"get nodes": {"code": 1, "stderr": "connection refused"}})
        obstacle = NodesReady(kubectl=kubectl, expected=1).obstacle(5)
        assert obstacle is not None
        assert "connection refused" in obstacle


class TestPrometheus:
    def obstacle(
        self,
        kubectl: Kubectl,
        *,
        ready: Answer = _READY,
        scrapes: Answer = _UP,
        hidden_pod: str = "",
        provider: str = "kind",
    ) -> str | None:
        readings: dict[Metric, Sequence[RawSeries]] = {
            metric: [row for row in rows if row.labels["pod"] != hidden_pod]
            for metric, rows in readings_of_all().items()
        }
        answers: dict[str, Callable[[Asked], Answer]] = {
            "/-/ready": lambda asked: ready,
            "/api/v1/targets": lambda asked: scrapes,
            "/api/v1/query": lambda asked: answer_from(readings, asked),
        }
        with loopback_server(lambda asked: answers[asked.path](asked)) as server:
            stack = target(monitoring=monitoring_target(server.port), provider=provider)
            return PrometheusWatching(target=stack, kubectl=kubectl).obstacle(5)

    def test_one_that_is_ready_and_sees_everything_passes(self, kubectl: Kubectl) -> None:
        assert self.obstacle(kubectl) is None

    def test_one_that_is_not_ready_stands_in_the_way(self, kubectl: Kubectl) -> None:
        assert "not ready: 503" in (self.obstacle(kubectl, ready=Answer(status=503)) or "")

    def test_a_target_that_is_down_is_named_with_its_error(self, kubectl: Kubectl) -> None:
        scrapes = targets(scraped("up"), scraped("down", "server returned 403", pool="pods"))
        obstacle = self.obstacle(kubectl, scrapes=scrapes)
        assert obstacle == "target pods https://10.0.0.2:10250/metrics/cadvisor is down: server returned 403"

    def test_a_target_that_was_not_scraped_yet_is_waited_for(self, kubectl: Kubectl) -> None:
        assert "is unknown" in (self.obstacle(kubectl, scrapes=targets(scraped("unknown"))) or "")

    @pytest.mark.parametrize("provider", ["kind", "existing"])
    def test_nodes_that_are_not_found_yet_are_waited_for(self, kubectl: Kubectl, provider: str) -> None:
        """Itself it knows without having found anything."""
        itself = targets(scraped("up", pool="prometheus"))
        for scrapes in (targets(), itself):
            obstacle = self.obstacle(kubectl, scrapes=scrapes, provider=provider)
            assert obstacle == "Prometheus has found 0 of 1 nodes to scrape"

    def test_an_app_without_readings_is_waited_for_where_the_nodes_cannot_be_read(
        self, kubectl: Kubectl
    ) -> None:
        obstacle = self.obstacle(kubectl, hidden_pod=BAR_POD, provider="existing")
        assert obstacle == "Prometheus has no readings of bar yet"

    def test_an_app_without_readings_is_not_waited_for_where_the_nodes_can_be_read(
        self, kubectl: Kubectl
    ) -> None:
        assert self.obstacle(kubectl, hidden_pod=BAR_POD) is None

    def test_one_that_refuses_is_said_to(self, kubectl: Kubectl) -> None:
        obstacle = self.obstacle(kubectl, scrapes=failure(422, "execution", "planted"))
        assert "planted" in (obstacle or "")


def test_a_cluster_made_for_the_stack_has_to_work_as_a_whole() -> None:
    own = {"apps", "ingress", "monitoring"}
    stack = target()
    assert namespaces_of(stack) == own | {"kube-system"}
    foreign = replace(stack, cluster=replace(stack.cluster, provider="existing"))
    assert namespaces_of(foreign) == own


def test_autoscalers_are_asked_for_only_where_an_app_has_one(kubectl: Kubectl) -> None:
    rule = AutoscalerTarget(min_replicas=1, max_replicas=4, target_cpu_percent=50, scale_up_stabilization_s=0)
    without = target()
    scaled = replace(without, apps=(replace(FOO, autoscaler=rule), *without.apps[1:]))
    assert () == autoscaler_checks(without, kubectl)
    (check,) = autoscaler_checks(scaled, kubectl)
    assert isinstance(check, AutoscalersActive)
    assert ["foo"] == [app.name for app in check.apps]
