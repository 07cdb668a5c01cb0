"""What the Pulumi program exports is what the load test reads: the one place where both are imported."""

import json

from infra import model, outputs
from infra.model import Arrivals, ChaosAction, Comparison, LoadProfile
from infra.outputs import export
from infra.stack import build
from loadtest import load_options, plan, slo, target
from loadtest.chaos.model import Action, ChaosEvent
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
        (model.ChaosSettings, ChaosEvent),
    ):
        assert set(here.__dataclass_fields__) == set(there.__dataclass_fields__), here


def test_both_sides_mean_the_same_schema_and_the_same_comparisons() -> None:
    assert outputs.SCHEMA_VERSION == target.SCHEMA_VERSION
    assert [choice.value for choice in LoadProfile] == [*plan.PROFILES]
    assert [choice.value for choice in Arrivals] == [choice.value for choice in plan.Arrivals]
    assert [choice.value for choice in Comparison] == [choice.value for choice in slo.Comparison]
    assert [choice.value for choice in ChaosAction] == [choice.value for choice in Action]
