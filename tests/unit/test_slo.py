"""The verdict: what passes, what misses, what only warns, and that nothing passes without data."""

from dataclasses import replace

import pytest

from loadtest.comparison import Comparison
from loadtest.exit_codes import ExitCode
from loadtest.monitoring.model import ResourceUsage, Total
from loadtest.slo import Objective, OutcomeStatus, Verdict, VerdictStatus, evaluate, exit_code
from loadtest.slo_metrics import COUNTED, METRICS, REQUEST_METRICS, RESOURCE_METRICS
from loadtest.stats.summary import RequestSummary, Summary
from loadtest.validity import CheckStatus, Validity, ValidityCheck
from tests.unit.report import values

VALID = Validity(checks=())


def doubt(words: str = "planted doubt", *, disturbs: bool) -> Validity:
    check = ValidityCheck(
        name="planted",
        status=CheckStatus.DOUBTFUL,
        value=2.0,
        comparison=Comparison.AT_MOST,
        threshold=1.0,
        words=words,
        disturbs=disturbs,
    )
    return Validity(checks=(check,))


def limit(
    metric: str, fail: float | None = None, *, warn: float | None = None, host: str | None = None
) -> Objective:
    return Objective(metric=metric, fail_limit=fail, warn_limit=warn, host=host)


def judge(
    *objectives: Objective,
    requests: RequestSummary | None = None,
    summary: Summary | None = None,
    resources: ResourceUsage | None = values.RESOURCES,
    validity: Validity = VALID,
) -> Verdict:
    return evaluate(
        objectives, summary or values.summary(requests or values.requests(100)), resources, validity
    )


@pytest.mark.parametrize(
    ("objective", "status", "margin"),
    [
        (limit("latency_p95_ms", 10.0), OutcomeStatus.MET, 0.5),
        (limit("latency_p95_ms", 9.5), OutcomeStatus.MET, 0.0),
        (limit("latency_p95_ms", 9.4), OutcomeStatus.MISSED, -0.1),
        (limit("achieved_rps", 400), OutcomeStatus.MET, 0.0),
        (limit("achieved_rps", 401), OutcomeStatus.MISSED, -1.0),
        (limit("cpu_seconds_per_1000_requests", 3), OutcomeStatus.MET, 0.45),
        (limit("memory_maximum_bytes", 1), OutcomeStatus.MISSED, -13_631_487),
        (limit("latency_p95_ms", warn=9, fail=10), OutcomeStatus.WARNED, -0.5),
        (limit("latency_p95_ms", warn=9), OutcomeStatus.WARNED, -0.5),
        (limit("latency_p95_ms", warn=8, fail=9), OutcomeStatus.MISSED, -0.5),
        (limit("latency_p95_ms", warn=9.7, fail=20), OutcomeStatus.MET, 0.2),
        (limit("achieved_rps", warn=500, fail=300), OutcomeStatus.WARNED, -100),
    ],
)
def test_an_outcome_has_its_status_and_the_margin_to_the_limit_that_decided(
    objective: Objective, status: OutcomeStatus, margin: float
) -> None:
    (outcome,) = judge(objective).outcomes
    assert outcome.status is status
    assert outcome.margin == pytest.approx(margin)


def test_an_objective_is_of_the_host_or_the_scope_that_it_names() -> None:
    summary = values.summary(
        values.requests(200, timeouts=10), foo=values.requests(100, timeouts=10), bar=values.requests(100)
    )
    foo, bar, both = (limit("timeouts", 5, host=host) for host in ("foo.localhost", "bar.localhost", None))
    assert [10, 0, 10] == [one.value for one in judge(foo, bar, both, summary=summary).outcomes]
    small = replace(values.scope("ingress"), cpu_seconds_per_1000_requests=0.5)
    resources = replace(values.RESOURCES, scopes=(values.scope("cluster"), small))
    of_ingress = replace(limit("cpu_seconds_per_1000_requests", 1), scope="ingress")
    verdict = judge(of_ingress, limit("cpu_seconds_per_1000_requests", 1), resources=resources)
    assert [OutcomeStatus.MET, OutcomeStatus.MISSED] == [one.status for one in verdict.outcomes]


def test_a_host_that_got_no_request_has_no_data() -> None:
    verdict = judge(limit("timeouts", 5, host="foo.localhost"))
    assert verdict.status is VerdictStatus.INCONCLUSIVE
    assert verdict.reasons == ("timeouts of foo.localhost has no data",)


def test_a_warning_alone_passes_and_is_the_reason_that_is_told() -> None:
    verdict = judge(limit("latency_p95_ms", warn=9, fail=50), limit("success_ratio", 1))
    assert verdict.status is VerdictStatus.WARNED
    assert verdict.reasons == ("latency_p95_ms is 9.5, it should be at most 9",)
    assert exit_code(verdict) is ExitCode.PASSED


def test_the_reasons_begin_with_the_worst() -> None:
    verdict = judge(
        limit("latency_p90_ms", warn=1),
        limit("latency_p99_ms", 1),
        limit("latency_p95_ms", 1),
        validity=doubt(disturbs=False),
    )
    assert verdict.status is VerdictStatus.MISSED
    assert verdict.reasons == (
        "latency_p95_ms is 9.5, it has to be at most 1",
        "planted doubt",
        "latency_p99_ms has no data (it is judged from 10,000 right answers on)",
        "latency_p90_ms is 7.25, it should be at most 1",
    )


def test_what_can_only_be_warned_of_is_a_warning_where_it_has_no_data() -> None:
    verdict = judge(limit("latency_p99_ms", warn=1))
    assert verdict.status is VerdictStatus.WARNED
    assert [OutcomeStatus.NO_DATA] == [one.status for one in verdict.outcomes]


@pytest.mark.parametrize("disturbs", [True, False])
def test_a_doubtful_measurement_never_passes(disturbs: bool) -> None:
    for objectives in ((), (limit("latency_p95_ms", 50),), (limit("latency_p95_ms", warn=1),)):
        verdict = judge(*objectives, validity=doubt("planted doubt", disturbs=disturbs))
        assert verdict.status is VerdictStatus.INCONCLUSIVE
        assert "planted doubt" in verdict.reasons


MORE_IS_BETTER = ("success_ratio", "achieved_rps")
BROKEN = [
    limit(metric, 1e9 if metric == "achieved_rps" else 1.0 if metric in MORE_IS_BETTER else 0.0)
    for metric in METRICS
]
ALL_BAD = replace(
    values.scope("cluster"),
    cpu_throttled_ratio=0.5,
    restarts=Total(value=1, samples=2),
    oom_kills=Total(value=1, samples=2),
)


@pytest.mark.parametrize("objective", BROKEN, ids=lambda one: one.metric)
def test_a_disturbed_measurement_misses_only_what_was_counted(objective: Objective) -> None:
    requests = values.requests(20_000, http_errors=1, timeouts=1, p99_ms=20.0)
    all_bad = {
        "requests": replace(requests, connection_errors=1, wrong_bodies=1),
        "resources": replace(values.RESOURCES, scopes=(ALL_BAD,)),
    }
    assert judge(objective, **all_bad).status is VerdictStatus.MISSED
    assert judge(objective, **all_bad, validity=doubt(disturbs=False)).status is VerdictStatus.MISSED
    disturbed = judge(objective, **all_bad, validity=doubt(disturbs=True))
    counted = objective.metric in COUNTED
    assert disturbed.status is (VerdictStatus.MISSED if counted else VerdictStatus.INCONCLUSIVE)
    assert counted is not any("not proven by such a measurement" in reason for reason in disturbed.reasons)


def test_what_was_counted_is_failures_memory_and_ends_of_containers() -> None:
    in_time = {metric for metric in METRICS if metric.startswith(("latency_", "cpu_"))} | {"achieved_rps"}
    assert set(METRICS) - in_time == COUNTED


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("level", ["warn_limit", "fail_limit"])
@pytest.mark.parametrize("at", [0.0, 1.0])
def test_zero_samples_never_pass(metric: str, at: float, level: str) -> None:
    objective = Objective(metric=metric, **{level: at})
    validity = values.report(values.summary(values.requests(0))).validity
    verdict = judge(objective, requests=values.requests(0), resources=None, validity=validity)
    assert verdict.status is VerdictStatus.INCONCLUSIVE
    assert verdict.outcomes[0].status is OutcomeStatus.NO_DATA


@pytest.mark.parametrize("metric", RESOURCE_METRICS)
def test_an_objective_on_resources_has_no_data_where_monitoring_failed(metric: str) -> None:
    assert judge(limit(metric, 1), resources=None).status is VerdictStatus.INCONCLUSIVE


def test_a_missing_figure_of_a_measured_scope_is_no_data() -> None:
    scope = replace(values.scope("cluster"), cpu_seconds_per_1000_requests=None)
    resources = replace(values.RESOURCES, scopes=(scope,))
    verdict = judge(limit("cpu_seconds_per_1000_requests", 5), resources=resources)
    assert verdict.status is VerdictStatus.INCONCLUSIVE


def test_requests_that_all_failed_give_no_latency_to_judge() -> None:
    verdict = judge(limit("latency_p50_ms", 1_000), requests=values.requests(100, timeouts=100))
    assert verdict.status is VerdictStatus.INCONCLUSIVE


@pytest.mark.parametrize(
    ("samples", "status"), [(9_999, VerdictStatus.INCONCLUSIVE), (10_000, VerdictStatus.PASSED)]
)
def test_p99_is_judged_from_ten_thousand_samples_on(samples: int, status: VerdictStatus) -> None:
    requests = values.requests(samples, p99_ms=20.0)
    assert judge(limit("latency_p99_ms", 30), requests=requests).status is status


def test_a_failure_ratio_at_its_limit_is_kept() -> None:
    requests = values.requests(100, timeouts=1)
    assert judge(limit("failure_ratio", 0.01), requests=requests).status is VerdictStatus.PASSED


def test_no_objective_passes_and_says_that_nothing_was_judged() -> None:
    assert judge().status is VerdictStatus.PASSED
    assert judge().reasons == ("no objective is set: figures were measured, none was judged",)


def test_no_metric_is_of_requests_and_of_resources() -> None:
    assert not REQUEST_METRICS.keys() & RESOURCE_METRICS.keys()


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (VerdictStatus.PASSED, ExitCode.PASSED),
        (VerdictStatus.WARNED, ExitCode.PASSED),
        (VerdictStatus.MISSED, ExitCode.OBJECTIVE_MISSED),
        (VerdictStatus.INCONCLUSIVE, ExitCode.INCONCLUSIVE),
    ],
)
def test_a_verdict_leads_to_its_exit_code(status: VerdictStatus, code: ExitCode) -> None:
    assert exit_code(Verdict(status=status, reasons=(), outcomes=())) is code
