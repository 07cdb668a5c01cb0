"""The Prometheus client against a loopback server that answers as Prometheus documents, and worse."""

import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from loadtest.errors import MonitoringError
from loadtest.monitoring.client import PrometheusClient
from loadtest.monitoring.readings import Reading
from tests.integration.loopback import Answer, LoopbackServer, Respond, loopback_server
from tests.integration.monitoring.prometheus_answers import failure, matrix, scraped, success, targets
from tests.unit.monitoring.values import row

_BUSY = failure(503, "unavailable", "starting")


def values(*pairs: list[object]) -> Answer:
    """An answer with one series of these moments and values, as they are."""
    return success({"resultType": "matrix", "result": [{"metric": {}, "values": pairs}]})


def always(answer: Answer) -> Respond:
    return lambda asked: answer


def in_turn(answers: Sequence[Answer]) -> Respond:
    left = list(answers)
    return lambda asked: left.pop(0)


@contextmanager
def client_of(
    respond: Respond, *, retries: int = 2, timeout_s: float = 5.0
) -> Iterator[tuple[PrometheusClient, LoopbackServer]]:
    with (
        loopback_server(respond) as server,
        PrometheusClient(server.url, retries=retries, timeout_s=timeout_s) as client,
    ):
        yield client, server


def test_readings_keep_their_labels_moments_and_values() -> None:
    answer = matrix([row("apps", "foo", (100.5, 1.25), (102.5, 2))])
    with client_of(always(answer)) as (client, server):
        (series,) = client.readings("up[4000ms]")
    assert series.labels == {"namespace": "apps", "pod": "foo"}
    assert series.readings == (Reading(at_s=100.5, value=1.25), Reading(at_s=102.5, value=2.0))
    assert [(one.path, one.parameters) for one in server.asked] == [
        ("/api/v1/query", {"query": "up[4000ms]"})
    ]


def test_a_query_that_finds_nothing_has_no_readings() -> None:
    with client_of(always(matrix([]))) as (client, _):
        assert client.readings("up[4s]") == ()


def test_a_value_that_is_no_number_is_no_reading() -> None:
    with client_of(always(values([1, "NaN"], [2, "+Inf"], [3, "7"]))) as (client, _):
        assert client.readings("up[4s]")[0].readings == (Reading(at_s=3, value=7),)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (failure(400, "bad_data", "parse error: unclosed left brace"), "unclosed left brace"),
        (failure(422, "execution", "query processing would load too many samples"), "too many samples"),
        (failure(503, "timeout", "query timed out"), "query timed out"),
        (Answer(body=b"<html>not Prometheus</html>", content_type="text/html"), "Expecting value"),
        (Answer(body=b""), "Expecting value"),
        (Answer(body=b"[]"), "not what it documents"),
        (Answer(body=b'{"status":"success"}'), "not what it documents"),
        (success({"resultType": "scalar", "result": [1, "2"]}), "not what it documents"),
        (values([1, "one"]), "not what it documents"),
        (values(["now", "1"]), "not what it documents"),
        (Answer(status=302), "302"),
    ],
)
def test_whatever_goes_wrong_is_one_error_that_says_what(answer: Answer, said: str) -> None:
    with (
        client_of(always(answer), retries=0) as (client, server),
        pytest.raises(MonitoringError, match=said) as caught,
    ):
        client.readings("up[4s]")
    assert server.url in caught.value.message
    assert caught.value.hint


def test_an_error_from_outside_is_cut_short() -> None:
    answer = failure(400, "bad_data", "x" * 10_000)
    with client_of(always(answer)) as (client, _), pytest.raises(MonitoringError) as caught:
        client.readings("up[4s]")
    assert len(caught.value.message) < 500


def test_a_server_that_hangs_is_given_up_after_the_time_limit() -> None:
    began_s = time.monotonic()
    with (
        client_of(always(Answer(delay_s=30)), timeout_s=0.3) as (client, _),
        pytest.raises(MonitoringError, match="timed out"),
    ):
        client.readings("up[4s]")
    assert time.monotonic() - began_s < 2


def test_nobody_listening_is_an_error_that_says_so() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with PrometheusClient(url, retries=0) as client, pytest.raises(MonitoringError, match="refused"):
            client.readings("up[4s]")


def test_a_server_that_is_busy_for_a_moment_is_asked_again() -> None:
    with client_of(in_turn([_BUSY, _BUSY, matrix([])])) as (client, server):
        assert client.readings("up[4s]") == ()
    assert len(server.asked) == 3


def test_without_retries_it_is_asked_once() -> None:
    with (
        client_of(always(_BUSY), retries=0) as (client, server),
        pytest.raises(MonitoringError, match="starting"),
    ):
        client.readings("up[4s]")
    assert len(server.asked) == 1


def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with loopback_server(always(Answer(status=502))) as proxy, client_of(always(matrix([]))) as (client, _):
        monkeypatch.setenv("http_proxy", proxy.url)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        client.readings("up[4s]")
    assert proxy.asked == []


def test_targets_are_told_with_their_state() -> None:
    answer = targets(scraped("up"), scraped("down", "connection refused"))
    with client_of(always(answer)) as (client, server):
        up, down = client.targets()
    assert (up.health, up.last_error) == ("up", "")
    assert (down.health, down.last_error, down.scrape_pool) == ("down", "connection refused", "cadvisor")
    assert server.asked[0].parameters == {"state": "active"}


def test_ready_is_asked_of_its_own_address() -> None:
    with client_of(always(Answer(body=b"Prometheus Server is Ready."))) as (client, server):
        client.check_ready()
    assert [one.path for one in server.asked] == ["/-/ready"]


def test_not_ready_is_an_error() -> None:
    answer = Answer(status=503, body=b"Service Unavailable")
    with (
        client_of(always(answer), retries=0) as (client, _),
        pytest.raises(MonitoringError, match="not ready: 503 Service Unavailable"),
    ):
        client.check_ready()
