"""What a stack's outputs have to hold, and what is said where they do not."""

from typing import Any

import pytest

from loadtest.errors import DeployError
from loadtest.target import parse_target


def outputs() -> dict[str, Any]:
    return {
        "schema_version": 1,
        "cluster": {
            "provider": "kind",
            "name": "loadproof",
            "context": "kind-loadproof",
            "namespaces": None,
            "kubeconfig_path": ".kubeconfigs/ci/loadproof.yaml",
            "nodes": 3,
            "kubernetes_version": "1.34.11",
        },
        "ingress": {
            "controller": "nginx",
            "namespace": "ingress-nginx",
            "address": "127.0.0.1",
            "port": 80,
            "service": "ingress-nginx-controller",
            "service_port": 80,
            "tunnelled": False,
            "chart_version": "4.11.0",
            "image": "controller:v1.11.0",
        },
        "apps": [
            {
                "name": "foo",
                "namespace": "apps",
                "host": "foo.localhost",
                "path": "/",
                "expected_body": "foo",
                "replicas": 2,
                "image": "hashicorp/http-echo:1.0.0",
            }
        ],
        "monitoring": {
            "namespace": "monitoring",
            "service": "prometheus",
            "service_port": 9090,
            "address": "127.0.0.1",
            "port": None,
            "scrape_interval_s": 2,
        },
        "load": {"requests": 200, "concurrency": 20, "timeout_s": 10, "warm_up_retries": 2, "seed": 1},
        "load_pods": {
            "namespace": "load",
            "namespace_labels": {"app.kubernetes.io/name": "load"},
            "image": "loadproof/locust:1.0.0",
        },
        "slo": [
            {"metric": "success_ratio", "host": None, "scope": None, "warn_limit": None, "fail_limit": 1}
        ],
        "validity": {},
    }


def test_outputs_that_fit_become_the_target() -> None:
    target = parse_target(outputs())
    assert target.apps[0].host == "foo.localhost"
    assert target.monitoring.port is None


def test_outputs_of_a_later_version_may_hold_more() -> None:
    assert parse_target({**outputs(), "kubeconfig": "[secret]"}).cluster.nodes == 3


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"schema_version": 2}, "schema version 2"),
        ({"apps": None}, "apps"),
        ({"cluster": {}}, "cluster"),
    ],
)
def test_outputs_that_do_not_fit_say_where(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(DeployError, match=words):
        parse_target({**outputs(), **changes})


def test_no_outputs_at_all_mean_that_nothing_is_deployed() -> None:
    with pytest.raises(DeployError, match="not deployed"):
        parse_target({})


def test_objectives_of_a_program_that_knows_other_metrics_are_named() -> None:
    others = [{"metric": f"planted_{number}", "fail_limit": 1} for number in (1, 2)]
    with pytest.raises(DeployError, match="unknown metrics: planted_1, planted_2"):
        parse_target({**outputs(), "slo": others})
