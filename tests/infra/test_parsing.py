"""Every wrong setting is found, named with its value, and told together with all others."""

import dataclasses
import math
import subprocess
import sys
from typing import Any

import pytest

from infra.model import LoadStage
from infra.parsing import SettingsError, parse
from tests.infra.configuration import app, ci_config, ci_settings, problems

FOO = app("foo")
SCALED = {"min_replicas": 2, "max_replicas": 5, "target_cpu_percent": 50, "scale_up_stabilization_s": 30}

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "unknown key": ({"ingres_port": 81}, "ingres_port is not a setting: did you mean ingress_port?"),
    "unknown key like no other": ({"zzz": 1}, "zzz is not a setting: known are apps, chaos, cluster_"),
    "unknown key of an app": ({"apps": [app("foo", replica=2)]}, "apps[0] (foo): replica is not a setting"),
    "unknown controller": ({"ingress_controller": "traefic"}, 'is "traefic", it has to be one of nginx'),
    "unknown provider": ({"cluster_provider": "k3d"}, 'cluster_provider is "k3d", it has to be one of kind'),
    "no apps": ({"apps": []}, "apps lists no app that could be tested"),
    "apps no list": ({"apps": "foo"}, 'apps is "foo", it has to be a list'),
    "app no mapping": ({"apps": ["foo"]}, 'apps[0] is "foo", it has to be a mapping with the key name'),
    "duplicate host": (
        {"apps": [FOO, app("bar", host="foo.localhost")]},
        "one app at foo.localhost",
    ),
    "duplicate name": ({"apps": [FOO, app("foo", host="b.localhost")]}, "more than one app named foo"),
    "missing image": ({"apps": [app("foo", image=None)]}, "apps[0] (foo): image is not set"),
    "image without a tag": (
        {"apps": [app("foo", image="nginx")]},
        'image is "nginx", it has to be an',
    ),
    "image with spaces": ({"apps": [app("foo", image="a b:1")]}, 'image is "a b:1", it has to be'),
    "image with an empty part": ({"apps": [app("foo", image="a//b:1")]}, 'image is "a//b:1", it has to be'),
    "image that ends in a slash": ({"apps": [app("foo", image="a/:1")]}, 'image is "a/:1", it has to be'),
    "node image that begins with a slash": ({"cluster_node_image": "/a:1"}, 'cluster_node_image is "/a:1"'),
    "app name no service can have": ({"apps": [app("1st")]}, 'name is "1st", it has to be at most 40'),
    "host that is an address": ({"apps": [app("foo", host="127.0.0.1")]}, 'host is "127.0.0.1", it has'),
    "path with an empty part": ({"apps": [app("foo", path="//x")]}, 'path is "//x", it has to be a path'),
    "path that climbs": ({"apps": [app("foo", path="/a/../b")]}, 'path is "/a/../b", it has to be a path'),
    "cpu below what can be shared out": (
        {"apps": [app("foo", cpu_request="0.1m")]},
        'cpu_request is "0.1m", it has to be an amount of CPU from 1m',
    ),
    "cpu in bytes": (
        {"apps": [app("foo", cpu_request="1Mi")]},
        'cpu_request is "1Mi", it has to be an amount of CPU',
    ),
    "memory in thousandths": ({"apps": [app("foo", memory_limit="64m")]}, 'memory_limit is "64m", it has'),
    "host in capitals": (
        {"apps": [app("foo", host="Foo.localhost")]},
        'host is "Foo.localhost", it has',
    ),
    "host with a port": ({"apps": [app("foo", host="foo.localhost:80")]}, 'host is "foo.localhost:80"'),
    "path without slash": (
        {"apps": [app("foo", path="api")]},
        'path is "api", it has to be a path',
    ),
    "no replicas": ({"apps": [app("foo", replicas=0)]}, "replicas is 0, it has to be a whole number from 1"),
    "replicas no number": ({"apps": [app("foo", replicas="two")]}, 'replicas is "two", it has to be a whole'),
    "replicas true": ({"apps": [app("foo", replicas=True)]}, "replicas is true, it has to be a whole number"),
    "args no texts": ({"apps": [app("foo", args=[1])]}, "args is [1], it has to be a list of texts"),
    "bad quantity": (
        {"apps": [app("foo", cpu_limit="1 core")]},
        'cpu_limit is "1 core", it has to be a',
    ),
    "quantity of nothing": ({"apps": [app("foo", memory_request="0Mi")]}, 'memory_request is "0Mi"'),
    "request above limit": (
        {"apps": [app("foo", memory_request="1Gi", memory_limit="64Mi")]},
        "memory_request is 1Gi, it may not be above memory_limit, 64Mi",
    ),
    "autoscaler no mapping": (
        {"apps": [app("foo", autoscaler=4)]},
        "apps[0] (foo): autoscaler is 4, it has to be a mapping",
    ),
    "autoscaler without a most": (
        {"apps": [app("foo", autoscaler={"min_replicas": 2})]},
        "apps[0] (foo): autoscaler: max_replicas is not set",
    ),
    "unknown key of an autoscaler": (
        {"apps": [app("foo", autoscaler={"max_replicas": 2, "target_cpu": 50})]},
        "autoscaler: target_cpu is not a setting: did you mean target_cpu_percent?",
    ),
    "autoscaler with nothing to scale": (
        {"apps": [app("foo", autoscaler={"min_replicas": 3, "max_replicas": 3})]},
        "autoscaler: max_replicas is 3, it has to be above min_replicas, 3",
    ),
    "autoscaler beside replicas": (
        {"apps": [app("foo", replicas=2, autoscaler={"max_replicas": 3})]},
        "apps[0] (foo): replicas is set beside an autoscaler, whose min_replicas takes its place",
    ),
    "autoscalers that never look": ({"cluster_autoscaling_sync_s": 0}, "cluster_autoscaling_sync_s is 0"),
    "grafana neither wanted nor not": (
        {"monitoring_grafana": "yes"},
        'monitoring_grafana is "yes", it has to be true or false',
    ),
    "grafana where no port leads to": (
        {
            "monitoring_grafana": True,
            "cluster_provider": "existing",
            "cluster_context": "theirs",
            "namespace_prefix": "pr-1-",
        },
        "monitoring_grafana is true, no port of this machine leads into an existing cluster",
    ),
    "grafana at the ingress' port": (
        {"monitoring_grafana": True, "monitoring_grafana_port": 80},
        "ingress_port and monitoring_grafana_port are both 80",
    ),
    "low container port": (
        {"apps": [app("foo", port=80)]},
        "port is 80, it has to be a whole",
    ),
    "port out of range": (
        {"ingress_port": 70000},
        "ingress_port is 70000, it has to be a whole",
    ),
    "two ports alike": ({"ingress_port": 30090}, "ingress_port and monitoring_port are both 30090"),
    "bad cluster name": (
        {"cluster_name": "My_Cluster"},
        'cluster_name is "My_Cluster", it has to be',
    ),
    "too many workers": (
        {"cluster_workers": 10},
        "cluster_workers is 10, it has to be",
    ),
    "no control plane": ({"cluster_control_planes": 0}, "cluster_control_planes is 0, it has to be"),
    "half a version": ({"cluster_kubernetes_version": "1.33"}, 'is "1.33", it has to be a version of'),
    "version of a tag": (
        {"cluster_kubernetes_version": "v1.33.1"},
        'is "v1.33.1", it has to be a version of',
    ),
    "no requests": ({"load_requests": 0}, "load_requests is 0, it has to be a whole number from 1"),
    "engine without a name": ({"load_engine": ""}, 'load_engine is "", it has to be the name of an engine'),
    "unknown profile": (
        {"load_profile": "closd"},
        'load_profile is "closd", it has to be one of closed',
    ),
    "wait that is no number": (
        {"load_wait_max_s": "long"},
        'load_wait_max_s is "long", it has to be',
    ),
    "stage without a rate": ({"load_stages": [{"duration_s": 1}]}, "load_stages[0]: rate_rps is not set"),
    "stage with more": (
        {"load_stages": [{"rate_rps": 1, "duration_s": 1, "x": 1}]},
        "x is not a setting",
    ),
    "script over two lines": ({"load_script": "a\nb"}, "load_script is"),
    "time-out of nothing": ({"load_timeout_s": 0}, "load_timeout_s is 0"),
    "scrape interval": ({"monitoring_scrape_interval_s": 0}, "monitoring_scrape_interval_s is 0"),
    "objective on an unknown metric": (
        {"slo": [{"metric": "latency", "fail_above": 1}]},
        'slo[0] (latency): metric is "latency", it has to be one of success_ratio, failure_ratio, ',
    ),
    "objective without limit": (
        {"slo": [{"metric": "success_ratio"}]},
        "slo[0] (success_ratio): warn_below or fail_below is not set",
    ),
    "objective with no limit that is one": (
        {"slo": [{"metric": "timeouts", "warn_above": None}]},
        "slo[0] (timeouts): warn_above or fail_above is not set",
    ),
    "objective without end": (
        {"slo": [{"metric": "timeouts", "fail_above": math.inf}]},
        "fail_above is Infinity, it has to be a number",
    ),
    "objective that is no number": (
        {"slo": [{"metric": "timeouts", "fail_above": math.nan}]},
        "fail_above is NaN, it has to be a number",
    ),
    "objective that no float holds": (
        {"slo": [{"metric": "timeouts", "fail_above": 10**400}]},
        "it has to be a number",
    ),
    "objective of a ratio above all": (
        {"slo": [{"metric": "success_ratio", "fail_below": 99}]},
        "fail_below is 99, it has to be a number from 0 to 1",
    ),
    "objective below nothing": (
        {"slo": [{"metric": "timeouts", "fail_above": -1}]},
        "fail_above is -1, it has to be a number from 0 on",
    ),
    "objective on the wrong side, which would always be kept": (
        {"slo": [{"metric": "success_ratio", "fail_above": 0.99}]},
        "fail_above is set, more is better of success_ratio: it has warn_below and fail_below",
    ),
    "objective on the wrong side": (
        {"slo": [{"metric": "latency_p95_ms", "warn_below": 50, "fail_above": 60}]},
        "warn_below is set, less is better of latency_p95_ms: it has warn_above and fail_above",
    ),
    "warning that comes after failing": (
        {"slo": [{"metric": "latency_p95_ms", "warn_above": 50, "fail_above": 30}]},
        "warn_above is 50, that has failed already: fail_above is 30",
    ),
    "warning where it fails": (
        {"slo": [{"metric": "achieved_rps", "warn_below": 50, "fail_below": 50}]},
        "warn_below is 50, that has failed already: fail_below is 50",
    ),
    "objective of a host that no app has": (
        {"slo": [{"metric": "timeouts", "fail_above": 1, "host": "fooo.localhost"}]},
        'host is "fooo.localhost", it has to be one of foo.localhost, bar.localhost',
    ),
    "objective of a scope that there is not": (
        {"slo": [{"metric": "cpu_average_cores", "fail_above": 1, "scope": "baz"}]},
        'scope is "baz", it has to be one of foo, bar, ingress, cluster',
    ),
    "resources of a host": (
        {"slo": [{"metric": "cpu_average_cores", "fail_above": 1, "host": "foo.localhost"}]},
        "host is set, cpu_average_cores is of what was used in the cluster: it may have a scope",
    ),
    "requests of a scope": (
        {"slo": [{"metric": "timeouts", "fail_above": 1, "scope": "foo"}]},
        "scope is set, timeouts is of what clients saw: it may have a host",
    ),
    "objective twice": (
        {"slo": [{"metric": "timeouts", "warn_above": 1}, {"metric": "timeouts", "fail_above": 2}]},
        "slo has timeouts more than once, one entry can both warn and fail",
    ),
    "objective misspelt": (
        {"slo": [{"metric": "timeouts", "fail_abov": 1, "fail_above": 1}]},
        "slo[0] (timeouts): fail_abov is not a setting: did you mean fail_above?",
    ),
    "threshold that is no number": (
        {"validity_rate_deviation_percent": "little"},
        'validity_rate_deviation_percent is "little", it has to be a number',
    ),
    "threshold that nothing keeps": (
        {"validity_generator_core_percent": "0"},
        'validity_generator_core_percent is "0", it has to be a number from 1 to',
    ),
}


def test_the_committed_stack_has_no_problem() -> None:
    assert () == problems(ci_config())


@pytest.mark.parametrize("prefix", ["", "a-", "pr-123-", "twenty-one-character-"])
def test_a_prefix_is_what_its_rule_says(prefix: str) -> None:
    assert prefix == ci_settings(namespace_prefix=prefix).namespace_prefix


@pytest.mark.parametrize("prefix", ["1-", "pr", "pr--", "-", "Pr-", "twenty-two-characters-"])
def test_what_is_no_prefix_is_refused_with_the_rule(prefix: str) -> None:
    (problem,) = problems(ci_config(namespace_prefix=prefix))
    assert f'namespace_prefix is "{prefix}", it has to be empty or up to 21 lower-case letters' in problem


@pytest.mark.parametrize(("changed", "told"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_setting_is_the_one_problem_and_is_named(changed: dict[str, Any], told: str) -> None:
    found = problems(ci_config(**changed))
    assert 1 == len(found), found
    assert told in found[0]


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "f"},
        {"name": "f-1"},
        {"host": "1.example"},
        {"host": "127.0.0.1.nip.io"},
        {"path": "/"},
        {"path": "/a/b.c/~d/"},
        {"image": "localhost:5000/a/b-c:1"},
        {"image": "registry.example/a__b/c--d.e:v1.0_2"},
        {"image": f"a@sha256:{'0' * 64}"},
        {"image": f"a:1@sha256:{'0' * 64}"},
        {"cpu_request": "1m"},
        {"cpu_request": "0.001"},
        {"cpu_limit": "2"},
        {"memory_limit": "67108864"},
    ],
    ids=str,
)
def test_what_kubernetes_takes_is_no_problem(changed: dict[str, Any]) -> None:
    assert () == problems(ci_config(apps=[{**FOO, **changed}]))


def test_all_wrong_settings_are_told_at_once() -> None:
    everything = ci_config(
        ingres_port=81,
        ingress_controller="traefic",
        ingress_port=0,
        cluster_name="X",
        apps=[app("foo", cpu_limit="x"), app("bar", host="foo.localhost")],
    )
    assert 6 == len(problems(everything)), problems(everything)


def test_objectives_are_read_with_both_limits_and_their_place() -> None:
    settings = ci_settings(
        slo=[
            {"metric": "latency_p95_ms", "warn_above": 30, "fail_above": 50.5, "host": "foo.localhost"},
            {"metric": "latency_p95_ms", "fail_above": 60},
            {"metric": "achieved_rps", "warn_below": 100, "fail_below": 90},
            {"metric": "memory_maximum_bytes", "fail_above": 1e9, "scope": "ingress"},
        ]
    )
    assert [
        ("latency_p95_ms", "foo.localhost", None, 30, 50.5),
        ("latency_p95_ms", None, None, None, 60),
        ("achieved_rps", None, None, 100, 90),
        ("memory_maximum_bytes", None, "ingress", None, 1e9),
    ] == [(one.metric, one.host, one.scope, one.warn_limit, one.fail_limit) for one in settings.slo]


def test_a_stack_may_promise_nothing() -> None:
    assert () == ci_settings(slo=[]).slo


def test_thresholds_of_validity_may_have_fractions() -> None:
    assert 0.5 == ci_settings(validity_rate_deviation_percent="0.5").validity.rate_deviation_percent


def test_a_load_is_read_with_its_fractions_and_stages() -> None:
    stages = [{"rate_rps": 0.5, "duration_s": 2}]
    load = ci_settings(load_wait_min_s="0.25", load_wait_max_s=0.5, load_stages=stages).load
    assert (0.25, 0.5) == (load.wait_min_s, load.wait_max_s)
    assert (LoadStage(rate_rps=0.5, duration_s=2),) == load.stages


def test_a_missing_key_is_a_problem_of_its_own() -> None:
    config = ci_config()
    del config["load_seed"]
    assert ("load_seed is not set",) == problems(config)


def test_a_long_wrong_value_is_cut_in_the_message() -> None:
    (problem,) = problems(ci_config(cluster_name="x" * 10_000))
    assert len(problem) < 250, "a wrong value may be anything, of any length"


def test_a_third_app_is_a_matter_of_configuration_alone() -> None:
    settings = ci_settings(apps=[FOO, app("bar"), app("baz", replicas=3)])
    assert ["foo", "bar", "baz"] == [one.name for one in settings.apps]
    assert 3 == settings.apps[2].replicas


def test_what_an_app_does_not_say_has_a_default() -> None:
    (foo,) = ci_settings(apps=[app("foo", args=None)]).apps
    assert ("/", 1, ()) == (foo.path, foo.replicas, foo.args)
    assert {"50m", "500m", "32Mi", "64Mi"} == set(dataclasses.astuple(foo.resources))


def test_what_an_autoscaler_does_not_say_has_a_default_and_its_least_are_the_apps_replicas() -> None:
    foo, bar = ci_settings(
        apps=[app("foo", autoscaler={"max_replicas": 4}), app("bar", autoscaler=SCALED)]
    ).apps
    assert foo.autoscaler is not None
    assert (1, 4, 80, 0) == dataclasses.astuple(foo.autoscaler)
    assert (1, 2) == (foo.replicas, bar.replicas)


def test_a_port_that_nothing_listens_on_is_nobodys_problem() -> None:
    assert () == problems(ci_config(monitoring_grafana=False, monitoring_grafana_port=80))


def test_a_cluster_without_a_name_is_named_after_its_stack() -> None:
    assert "loadproof-mine" == parse(ci_config(cluster_name=""), stack="mine").cluster.name


def test_a_stack_after_which_no_cluster_can_be_named_needs_a_name_for_it() -> None:
    with pytest.raises(
        SettingsError, match=r"cluster_name has to be set: loadproof-My\.stack, after the stack"
    ):
        parse(ci_config(cluster_name=""), stack="My.stack")


@pytest.mark.parametrize(
    ("changed", "image"),
    [
        ({}, "loadproof/node:v1.34.11"),
        ({"cluster_kubernetes_version": "1.33.4"}, "kindest/node:v1.33.4"),
        ({"cluster_kubernetes_version": "1.33.4", "cluster_node_image": "my/node:1"}, "my/node:1"),
    ],
    ids=["the pinned version", "another version", "an image of one's own"],
)
def test_the_node_image_follows_from_the_version_of_kubernetes(changed: dict[str, str], image: str) -> None:
    assert image == ci_settings(**changed).cluster.node_image


def test_two_apps_do_not_share_a_host_not_even_on_different_paths() -> None:
    (problem,) = problems(ci_config(apps=[FOO, app("bar", host="foo.localhost", path="/bar")]))
    assert problem.startswith("apps has more than one app at foo.localhost, each needs a host of its own")


def test_the_error_carries_every_problem() -> None:
    with pytest.raises(SettingsError) as raised:
        parse(ci_config(ingress_port=0, monitoring_port=0), stack="ci")
    assert 2 == len(raised.value.problems)


def test_a_configuration_is_read_without_pulumis_packages() -> None:
    """They take longer to import than everything else that reading does."""
    read = "import sys, infra.check; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", read], capture_output=True, text=True, check=True)
    assert not [name for name in loaded.stdout.split() if name.startswith("pulumi")]
