"""When a measurement proves anything: each check at its edge, told in words with its figures."""

from dataclasses import replace

import pytest

from loadtest.load_options import LoadOptions
from loadtest.load_run import Generator, LoadRun
from loadtest.plan import Stage
from loadtest.sample import LoadWindow
from loadtest.stats.summary import RequestSummary
from loadtest.validity import CheckStatus, Thresholds, Validity, ValidityCheck, validity_of
from tests.unit.report import values

OPEN = LoadOptions(profile="constant_rate", rate_rps=100, duration_s=20)
LONG_WAIT = replace(OPEN, rate_rps=200, duration_s=10)  # ten seconds more until its last answer
CLOSED = LoadOptions(requests=2000, concurrency=4)
WINDOW = LoadWindow(started_unix_ns=0, ended_unix_ns=20 * 10**9)
DEFAULTS = Thresholds()
GENERATOR = Generator(engine="planted", cpu_s=1.0, connections_opened=4)
DELAY = replace(values.SCHEDULE_DELAY, samples=2000, p99_ms=0.2)
SENT = replace(values.requests(2000), schedule_delay=DELAY)


def judge(
    options: LoadOptions = OPEN,
    requests: RequestSummary = SENT,
    generator: Generator = GENERATOR,
    thresholds: Thresholds = DEFAULTS,
    sending_s: float = 19.99,
) -> Validity:
    summary = replace(values.summary(requests), sending_s=sending_s)
    return validity_of(options.plan(), LoadRun(window=WINDOW, generator=generator), summary, thresholds)


def check(name: str, validity: Validity) -> ValidityCheck:
    (found,) = [one for one in validity.checks if one.name == name]
    return found


def test_a_good_open_loop_is_valid_by_every_check_and_each_shows_its_figures() -> None:
    validity = judge()
    assert [
        ("requests_sent", 2000, 2000),
        ("requests_dropped", 0, 0),
        ("rate_deviation_percent", 0, 1),
        ("schedule_delay_p99_ms", 0.2, 5),
        ("generator_core_percent", 5, 80),
    ] == [(one.name, one.value, one.threshold) for one in validity.checks]
    assert {CheckStatus.VALID} == {one.status for one in validity.checks}
    assert not validity.doubts
    assert not validity.disturbed


def test_a_closed_loop_has_no_rate_and_no_schedule_to_keep() -> None:
    late = replace(SENT, schedule_delay=replace(DELAY, p99_ms=900.0))
    validity = judge(CLOSED, late, sending_s=1.0)
    assert ["requests_sent", "generator_core_percent"] == [one.name for one in validity.checks]
    assert not validity.doubts


@pytest.mark.parametrize("options", [OPEN, CLOSED], ids=["open", "closed"])
def test_fewer_requests_than_planned_are_doubtful_and_disturb_nothing_that_was_seen(
    options: LoadOptions,
) -> None:
    validity = judge(options, replace(SENT, requests=1999))
    assert ("only 1,999 of 2,000 planned requests were sent",) == words(validity)
    assert not validity.disturbed


@pytest.mark.parametrize("options", [OPEN, CLOSED, LoadOptions(profile="users", engine="locust")], ids=str)
def test_no_request_at_all_is_doubtful_whatever_was_planned(options: LoadOptions) -> None:
    nothing = judge(options, values.requests(0), sending_s=0.0)
    assert "no request was sent: there is nothing to judge" in words(nothing)


def test_where_only_time_was_planned_any_number_of_requests_will_do() -> None:
    assert not judge(LoadOptions(profile="users", engine="locust"), replace(SENT, requests=1)).doubts


def test_requests_that_were_due_and_never_sent_are_doubtful() -> None:
    validity = judge(generator=replace(GENERATOR, dropped_requests=3))
    assert ("3 requests were due and never sent: the generator had no client free",) == words(validity)


@pytest.mark.parametrize(
    ("sending_s", "status"),
    [(20.0, CheckStatus.VALID), (20.2, CheckStatus.VALID), (20.3, CheckStatus.DOUBTFUL)],
)
def test_a_rate_is_kept_within_one_percent(sending_s: float, status: CheckStatus) -> None:
    validity = judge(sending_s=sending_s)
    assert status is check("rate_deviation_percent", validity).status


def test_an_answer_that_came_long_after_the_last_start_makes_no_rate_wrong() -> None:
    """The achieved rate counts answers over the window; what the generator sent is another matter."""
    slow = replace(SENT, achieved_rps=50.0)
    assert check("rate_deviation_percent", judge(requests=slow)).value == 0


def test_a_ramp_is_held_against_its_average_rate() -> None:
    ramp = LoadOptions(profile="ramping_rate", rate_rps=0, stages=(Stage(rate_rps=200, duration_s=20),))
    assert not judge(ramp).doubts
    assert judge(ramp, sending_s=22.0).doubts


@pytest.mark.parametrize(
    ("p99_ms", "p50_ms", "status"),
    [
        (5.0, 1.0, CheckStatus.VALID),
        (5.1, 1.0, CheckStatus.DOUBTFUL),
        (20.0, 100.0, CheckStatus.VALID),
        (20.1, 100.0, CheckStatus.DOUBTFUL),
    ],
)
def test_requests_may_be_sent_5_ms_late_or_a_fifth_of_the_median_latency(
    p99_ms: float, p50_ms: float, status: CheckStatus
) -> None:
    latency = replace(values.latency(), p50_ms=p50_ms)
    validity = judge(requests=replace(SENT, schedule_delay=replace(DELAY, p99_ms=p99_ms), latency=latency))
    assert status is check("schedule_delay_p99_ms", validity).status
    assert validity.disturbed is (status is CheckStatus.DOUBTFUL)


@pytest.mark.parametrize(
    ("p90_ms", "longest_ms", "status"),
    [
        (0.1, 4.9, CheckStatus.VALID),
        (0.1, 5.1, CheckStatus.UNKNOWN),
        (4.9, 900.0, CheckStatus.UNKNOWN),
        (5.1, 900.0, CheckStatus.DOUBTFUL),
    ],
)
def test_without_a_p99_delays_that_are_all_short_or_often_long_decide_and_others_do_not(
    p90_ms: float, longest_ms: float, status: CheckStatus
) -> None:
    few = replace(DELAY, samples=200, p90_ms=p90_ms, p99_ms=None, maximum_ms=longest_ms)
    validity = judge(requests=replace(SENT, schedule_delay=few))
    assert status is check("schedule_delay_p99_ms", validity).status


def test_a_delay_that_the_engine_does_not_tell_is_unknown_and_said_to_be() -> None:
    validity = judge(generator=replace(GENERATOR, tells_intended_start=False))
    found = check("schedule_delay_p99_ms", validity)
    assert (CheckStatus.UNKNOWN, None) == (found.status, found.value)
    assert "not told by planted" in found.words
    assert not validity.doubts


@pytest.mark.parametrize(
    ("generator", "percent"),
    [
        (replace(GENERATOR, cpu_s=16.0), 80),
        (replace(GENERATOR, cpu_s=16.2), 81),
        (replace(GENERATOR, cpu_s=30.0, worker_processes=2), 75),
        (replace(GENERATOR, cpu_s=34.0, worker_processes=2), 85),
        (replace(GENERATOR, cpu_s=30.0, cores_per_process=2), 75),
        # All of it is not what one of them needs, and their average hides one that is busy.
        (replace(GENERATOR, cpu_s=17.0, busiest_worker_cpu_s=15.0), 75),
        (replace(GENERATOR, cpu_s=20.0, busiest_worker_cpu_s=17.0, worker_processes=2), 85),
    ],
)
@pytest.mark.parametrize("options", [OPEN, CLOSED], ids=["open", "closed"])
def test_each_worker_may_need_four_fifths_of_a_core(
    options: LoadOptions, generator: Generator, percent: float
) -> None:
    validity = judge(options, generator=generator)
    assert percent == pytest.approx(check("generator_core_percent", validity).value)
    assert validity.disturbed is (percent > 80)


def test_waiting_for_the_last_answers_of_an_open_loop_rests_no_generator() -> None:
    busy = replace(GENERATOR, cpu_s=9.0)
    assert 90 == check("generator_core_percent", judge(LONG_WAIT, generator=busy, sending_s=9.99)).value
    late = check("generator_core_percent", judge(LONG_WAIT, generator=busy, sending_s=12.0))
    assert 75 == late.value, "what was sent late took the generator that time"


def test_a_window_of_no_time_leaves_the_cpu_unknown() -> None:
    run = LoadRun(window=replace(WINDOW, ended_unix_ns=0), generator=GENERATOR)
    found = check("generator_core_percent", validity_of(CLOSED.plan(), run, values.summary(SENT), DEFAULTS))
    assert found.status is CheckStatus.UNKNOWN


def test_every_threshold_can_be_set() -> None:
    strict = Thresholds(
        rate_deviation_percent=0.01,
        schedule_delay_p99_ms=0.1,
        schedule_delay_of_p50_percent=0.0,
        generator_core_percent=4.0,
    )
    validity = judge(sending_s=20.01, thresholds=strict)
    assert [
        "99.95 requests/s were sent and 100 were planned, 0.05 % off, at most 0.01 % may be",
        "requests were sent 0.2 ms late (p99), at most 0.1 ms may be",
        "the generator used 5 % of a core, at most 4 % may be",
    ] == list(words(validity))


def words(validity: Validity) -> tuple[str, ...]:
    return tuple(one.words for one in validity.doubts)


def test_chaos_that_did_not_happen_as_planned_is_doubtful_and_says_why() -> None:
    load_run = LoadRun(window=WINDOW, generator=GENERATOR)
    validity = validity_of(CLOSED.plan(), load_run, values.summary(SENT), DEFAULTS, values.CHAOS)
    found = check("chaos_events", validity)
    assert (CheckStatus.DOUBTFUL, 3, 4, False) == (found.status, found.value, found.threshold, found.disturbs)
    assert (
        "3 of 4 events of the chaos went as planned; delete app/bar: app/bar has no pod that is ready"
    ) == found.words
    as_planned = validity_of(CLOSED.plan(), load_run, values.summary(SENT), DEFAULTS, values.CHAOS[:3])
    assert check("chaos_events", as_planned).status is CheckStatus.VALID


def test_of_processes_that_share_the_load_the_busiest_is_judged() -> None:
    shared = replace(GENERATOR, worker_processes=4, cpu_s=20.0, busiest_worker_cpu_s=17.0)
    found = check("generator_core_percent", judge(generator=shared))
    assert (CheckStatus.DOUBTFUL, 85.0) == (found.status, found.value)
    assert "the busiest of the generator's processes used 85 % of a core" in found.words
