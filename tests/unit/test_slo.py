"""The verdict: what passes, what misses, and that nothing passes without data."""

from dataclasses import replace

import pytest

from loadtest.exit_codes import ExitCode
from loadtest.slo import (
    METRICS,
    Comparison,
    Objective,
    OutcomeStatus,
    Verdict,
    VerdictStatus,
    evaluate,
    exit_code,
    problems,
)
from loadtest.stats.summary import RequestSummary
from tests.unit.report import values


def at_most(metric: str, limit: float) -> Objective:
    return Objective(metric=metric, comparison=Comparison.AT_MOST, limit=limit)


def at_least(metric: str, limit: float) -> Objective:
    return Objective(metric=metric, comparison=Comparison.AT_LEAST, limit=limit)


def judge(*objectives: Objective, requests: RequestSummary | None = None, planned: int = 100) -> Verdict:
    summary = values.summary(requests or values.requests(100))
    return evaluate(objectives, summary, values.RESOURCES, planned_requests=planned)


@pytest.mark.parametrize(
    ("objective", "status", "margin"),
    [
        (at_most("latency_p95_ms", 10.0), OutcomeStatus.MET, 0.5),
        (at_most("latency_p95_ms", 9.5), OutcomeStatus.MET, 0.0),
        (at_most("latency_p95_ms", 9.4), OutcomeStatus.MISSED, -0.1),
        (at_least("achieved_rps", 400), OutcomeStatus.MET, 0.0),
        (at_least("achieved_rps", 401), OutcomeStatus.MISSED, -1.0),
        (at_most("cluster_cpu_seconds_per_1000_requests", 3), OutcomeStatus.MET, 0.45),
        (at_most("cluster_memory_maximum_bytes", 1), OutcomeStatus.MISSED, -13_631_487),
    ],
)
def test_an_outcome_has_its_status_and_margin(
    objective: Objective, status: OutcomeStatus, margin: float
) -> None:
    (outcome,) = judge(objective).outcomes
    assert outcome.status is status
    assert outcome.margin == pytest.approx(margin)


def test_where_only_time_was_planned_any_number_of_requests_will_do() -> None:
    verdict = evaluate((at_most("latency_p95_ms", 10),), values.PASSED_SUMMARY, None, planned_requests=None)
    assert verdict.status is VerdictStatus.PASSED


def test_requests_that_were_due_and_never_sent_cannot_pass() -> None:
    verdict = evaluate(
        (at_most("latency_p95_ms", 10),),
        values.PASSED_SUMMARY,
        None,
        planned_requests=None,
        dropped_requests=3,
    )
    assert verdict.status is VerdictStatus.INCONCLUSIVE
    assert "3 requests were due and never sent: the generator had no client free" in verdict.reasons


def test_one_missed_objective_misses_whatever_else_is_unknown() -> None:
    verdict = judge(at_most("latency_p95_ms", 1), at_most("latency_p99_ms", 1))
    assert verdict.status is VerdictStatus.MISSED
    assert verdict.reasons == (
        "latency_p95_ms is 9.5, it has to be at most 1",
        "latency_p99_ms has no data, it has to be at most 1",
    )


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("limit", [0.0, 1.0])
@pytest.mark.parametrize("comparison", Comparison)
def test_zero_samples_never_pass(metric: str, limit: float, comparison: Comparison) -> None:
    objective = Objective(metric=metric, comparison=comparison, limit=limit)
    summary = values.summary(values.requests(0))
    verdict = evaluate((objective,), summary, None, planned_requests=0)
    assert verdict.status is VerdictStatus.INCONCLUSIVE
    assert verdict.outcomes[0].status is OutcomeStatus.NO_DATA


@pytest.mark.parametrize("metric", [metric for metric in METRICS if metric.startswith("cluster_")])
def test_an_objective_on_resources_has_no_data_where_monitoring_failed(metric: str) -> None:
    verdict = evaluate((at_most(metric, 1),), values.PASSED_SUMMARY, None, planned_requests=200)
    assert verdict.status is VerdictStatus.INCONCLUSIVE


def test_a_missing_figure_of_a_measured_scope_is_no_data() -> None:
    scope = replace(values.scope("cluster"), cpu_seconds_per_1000_requests=None)
    resources = replace(values.RESOURCES, scopes=(scope,))
    objective = at_most("cluster_cpu_seconds_per_1000_requests", 5)
    verdict = evaluate((objective,), values.PASSED_SUMMARY, resources, planned_requests=200)
    assert verdict.status is VerdictStatus.INCONCLUSIVE


def test_requests_that_all_failed_give_no_latency_to_judge() -> None:
    verdict = judge(at_most("latency_p50_ms", 1_000), requests=values.requests(100, timeouts=100))
    assert verdict.status is VerdictStatus.INCONCLUSIVE


def test_fewer_requests_than_planned_are_inconclusive() -> None:
    verdict = judge(at_most("latency_p95_ms", 10), planned=101)
    assert verdict.status is VerdictStatus.INCONCLUSIVE
    assert verdict.reasons == ("only 100 of 101 planned requests were sent",)


@pytest.mark.parametrize(
    ("samples", "status"), [(9_999, VerdictStatus.INCONCLUSIVE), (10_000, VerdictStatus.PASSED)]
)
def test_p99_is_judged_from_ten_thousand_samples_on(samples: int, status: VerdictStatus) -> None:
    requests = values.requests(samples, p99_ms=20.0)
    assert judge(at_most("latency_p99_ms", 30), requests=requests).status is status


def test_a_failure_ratio_at_its_limit_is_kept() -> None:
    requests = values.requests(100, timeouts=1)
    assert judge(at_most("failure_ratio", 0.01), requests=requests).status is VerdictStatus.PASSED


def test_no_request_at_all_is_inconclusive_though_nothing_was_promised() -> None:
    verdict = judge(requests=values.requests(0), planned=0)
    assert verdict.status is VerdictStatus.INCONCLUSIVE
    assert verdict.reasons[0] == "no request was sent: there is nothing to judge"


def test_no_objective_passes_and_says_that_nothing_was_judged() -> None:
    assert judge().reasons == ("no objective is set: figures were measured, none was judged",)


def test_problems_name_every_fault_at_once() -> None:
    found = problems(
        (
            at_most("latency", 1),
            at_least("success_ratio", 99),
            at_most("latency_p95_ms", float("nan")),
            at_most("timeouts", -1),
            at_most("timeouts", 5),
        )
    )
    assert found == [
        f"objective 'latency' is unknown, choose from: {', '.join(METRICS)}",
        "limit of success_ratio is 99, it has to be between 0 and 1",
        "limit of latency_p95_ms is nan, it has to be 0 or more",
        "limit of timeouts is -1, it has to be 0 or more",
        "objective timeouts at most is given 2 times, once is enough",
    ]


def test_good_objectives_have_no_problems() -> None:
    assert problems(values.OBJECTIVES) == []


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (VerdictStatus.PASSED, ExitCode.PASSED),
        (VerdictStatus.MISSED, ExitCode.OBJECTIVE_MISSED),
        (VerdictStatus.INCONCLUSIVE, ExitCode.INCONCLUSIVE),
    ],
)
def test_a_verdict_leads_to_its_exit_code(status: VerdictStatus, code: ExitCode) -> None:
    assert exit_code(Verdict(status=status, reasons=(), outcomes=())) is code
