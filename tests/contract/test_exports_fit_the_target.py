"""What the Pulumi program exports is what the load test reads: the one place where both are imported."""

import json

from infra import model, outputs
from infra.model import Arrivals, ChaosAction, LoadProfile, Metric
from infra.outputs import export
from infra.stack import build
from loadtest import load_options, plan, slo, slo_metrics, target, validity
from loadtest.chaos.model import Action, ChaosEvent
from loadtest.comparison import Comparison
from loadtest.load_options import LoadOptions
from loadtest.target import parse_target
from tests.infra.configuration import ci_settings
from tests.infra.recording import record


def exports() -> dict[str, object]:
    recorded = dict(record(lambda: export(build(ci_settings()))).exports)
    recorded["kubeconfig"] = "[secret]"  # as `pulumi stack output --json` has it
    # The engine keeps every number as a float and prints whole ones as integers.
    return json.loads(json.dumps(recorded), parse_float=lambda text: _whole(float(text)))  # type: ignore[no-any-return]


def _whole(number: float) -> float:
    return int(number) if number.is_integer() else number


def test_the_load_test_reads_what_the_program_exports() -> None:
    read = parse_target(exports())
    assert ["foo.localhost", "bar.localhost"] == [app.host for app in read.apps]
    assert ("kind-loadproof", 3) == (read.cluster.context, read.cluster.nodes)
    assert LoadOptions() == read.load, (
        "stack ci sets nothing of its load, and both sides have the same defaults"
    )
    assert validity.Thresholds() == read.validity
    assert (slo.Objective(metric="success_ratio", fail_limit=1.0),) == read.slo


def test_every_exported_field_is_one_the_load_test_knows_and_the_other_way_round() -> None:
    for here, there in (
        (outputs.ClusterOutput, target.ClusterTarget),
        (outputs.IngressOutput, target.IngressTarget),
        (outputs.AppOutput, target.AppTarget),
        (model.AutoscalerSettings, target.AutoscalerTarget),
        (outputs.GrafanaOutput, target.GrafanaTarget),
        (outputs.MonitoringOutput, target.MonitoringTarget),
        (model.LoadSettings, load_options.LoadOptions),
        (outputs.LoadPodsOutput, target.LoadPodsTarget),
        (model.LoadStage, plan.Stage),
        (model.ObjectiveSettings, slo.Objective),
        (model.ValiditySettings, validity.Thresholds),
        (model.ChaosSettings, ChaosEvent),
    ):
        assert set(here.__dataclass_fields__) == set(there.__dataclass_fields__), here


def test_both_sides_know_the_same_metrics_and_which_side_of_a_limit_is_good() -> None:
    for metric in Metric:
        assert (metric in slo_metrics.RESOURCE_METRICS) is metric.of_resources, metric
        good = Comparison.AT_LEAST if metric.more_is_better else Comparison.AT_MOST
        assert good is slo_metrics.comparison(metric), metric
    assert list(slo_metrics.METRICS) == [metric.value for metric in Metric]


def test_both_sides_mean_the_same_schema_and_the_same_choices() -> None:
    assert outputs.SCHEMA_VERSION == target.SCHEMA_VERSION
    assert [choice.value for choice in LoadProfile] == [*plan.PROFILES]
    assert [choice.value for choice in Arrivals] == [choice.value for choice in plan.Arrivals]
    assert [choice.value for choice in ChaosAction] == [choice.value for choice in Action]
