"""Which rows are asked for, and which scope each belongs to."""

import pytest

from loadtest.monitoring.queries import Metric, raw_readings, scopes_of
from loadtest.target import AppTarget
from tests.unit.monitoring.values import BAR, FOO, ingress_target


def app(name: str) -> AppTarget:
    return AppTarget(
        name=name, namespace="apps", host=name, path="/", expected_body=name, replicas=1, image="echo:1"
    )


def scopes_holding(pod: str, namespace: str, *apps: AppTarget) -> set[str]:
    labels = {"namespace": namespace, "pod": pod}
    return {scope.name for scope in scopes_of(apps or (FOO, BAR), ingress_target()) if scope.holds(labels)}


def test_a_query_reaches_back_in_whole_milliseconds() -> None:
    query = raw_readings(Metric.CPU_SECONDS, 40.1234)
    assert query == 'container_cpu_usage_seconds_total{container!="",container!="POD",pod!=""}[40123ms]'


def test_network_rows_are_asked_for_by_pod_and_without_loopback() -> None:
    assert Metric.RECEIVED_BYTES.value == 'container_network_receive_bytes_total{pod!="",interface!="lo"}'


def test_a_pod_belongs_to_its_app_and_to_the_cluster() -> None:
    assert scopes_holding("foo-5d8f7c9b4-x2k9z", "apps") == {"foo", "cluster"}


@pytest.mark.parametrize(
    "pod", ["foo", "foo-5d8f7c9b4", "myfoo-5d8f7c9b4-x2k9z", "foo-5d8f7c9b4-x2k9z-more", "foo-0"]
)
def test_a_pod_of_another_name_does_not(pod: str) -> None:
    assert scopes_holding(pod, "apps") == {"cluster"}


def test_a_pod_of_the_same_name_in_another_namespace_does_not() -> None:
    assert scopes_holding("foo-5d8f7c9b4-x2k9z", "elsewhere") == {"cluster"}


def test_an_app_whose_name_begins_with_another_ones_is_kept_apart() -> None:
    assert scopes_holding("foo-bar-5d8f7c9b4-x2k9z", "apps", app("foo"), app("foo-bar")) == {
        "foo-bar",
        "cluster",
    }


def test_a_dot_in_a_name_stands_for_itself() -> None:
    assert scopes_holding("fxo-5d8f7c9b4-x2k9z", "apps", app("f.o")) == {"cluster"}


def test_all_pods_of_the_ingress_namespace_are_the_ingress() -> None:
    assert scopes_holding("anything", "ingress") == {"ingress", "cluster"}
