"""Whether a measurement can prove anything: the load's generator against its plan and its own limits.

Every check is told with its figures, a good one too. Leaves out objectives, which are judged by what was
measured (slo), and what else went on on the machine.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from loadtest.chaos.model import ChaosOutcome
from loadtest.comparison import Comparison
from loadtest.load_run import Generator, LoadRun
from loadtest.plan import ConstantRate, LoadPlan, RampingRate
from loadtest.sample import Arm
from loadtest.stats.summary import RequestSummary, Summary


class CheckStatus(StrEnum):
    VALID = "valid"
    DOUBTFUL = "doubtful"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """Explained in Pulumi.yaml, each as `validity_` and its name; the defaults are the same."""

    rate_deviation_percent: float = 1.0
    schedule_delay_p99_ms: float = 5.0
    schedule_delay_of_p50_percent: float = 20.0
    generator_core_percent: float = 80.0


@dataclass(frozen=True, kw_only=True)
class ValidityCheck:
    """`name` has the unit of `value` and `threshold` in it; what cannot be told has no value.

    A check that `disturbs` and is doubtful puts every figure of time into doubt, a missed limit included. Any
    other says that less was sent than planned: nothing passes by that, and what was seen was seen.
    """

    name: str
    status: CheckStatus
    value: float | None
    comparison: Comparison
    threshold: float
    words: str
    disturbs: bool = False


@dataclass(frozen=True, kw_only=True)
class Validity:
    checks: tuple[ValidityCheck, ...]

    @property
    def doubts(self) -> tuple[ValidityCheck, ...]:
        return tuple(one for one in self.checks if one.status is CheckStatus.DOUBTFUL)

    @property
    def disturbed(self) -> bool:
        return any(one.disturbs for one in self.doubts)


def validity_of(
    plan: LoadPlan,
    load_run: LoadRun,
    summary: Summary,
    thresholds: Thresholds,
    chaos: Sequence[ChaosOutcome] = (),
) -> Validity:
    """Of a load of this plan, by what came of it over all hosts."""
    checks = _checks(plan, load_run, summary, thresholds)
    return Validity(checks=(*checks, *([_chaos(chaos)] if chaos else [])))


def _checks(
    plan: LoadPlan, load_run: LoadRun, summary: Summary, thresholds: Thresholds
) -> Iterator[ValidityCheck]:
    generator, requests = load_run.generator, summary.arm(Arm.HEAD).combined
    yield _requests_sent(plan.profile.planned_requests, requests.requests)
    if isinstance(plan.profile, ConstantRate | RampingRate):
        yield _requests_dropped(generator.dropped_requests)
        yield _rate(plan.profile, summary, thresholds)
        yield _schedule_delay(generator, requests, thresholds)
    yield _generator_cpu(generator, _busy_s(plan, load_run, summary), thresholds)


def _requests_sent(planned: int | None, sent: int) -> ValidityCheck:
    of_planned = "requests" if planned is None else f"of {planned:,} planned requests"
    only = "only " if planned is not None and sent < planned else ""
    return _check(
        "requests_sent",
        sent,
        Comparison.AT_LEAST,
        planned or 1,
        f"{only}{sent:,} {of_planned} were sent"
        if sent
        else "no request was sent: there is nothing to judge",
    )


def _requests_dropped(dropped: int) -> ValidityCheck:
    return _check(
        "requests_dropped",
        dropped,
        Comparison.AT_MOST,
        0,
        f"{dropped:,} requests were due and never sent: the generator had no client free"
        if dropped
        else "every request that was due was sent",
    )


def _rate(profile: ConstantRate | RampingRate, summary: Summary, thresholds: Thresholds) -> ValidityCheck:
    """By when requests were started: the last answer's own time is no fault of the generator."""
    planned_rps = profile.planned_requests / profile.duration_s
    sent_rps = summary.sent_rps(profile.duration_s)
    deviation_percent = 100 * abs(sent_rps - planned_rps) / planned_rps
    limit_percent = thresholds.rate_deviation_percent
    return _check(
        "rate_deviation_percent",
        deviation_percent,
        Comparison.AT_MOST,
        limit_percent,
        f"{sent_rps:,.6g} requests/s were sent and {planned_rps:,.6g} were planned, "
        f"{deviation_percent:.3g} % off, at most {limit_percent:g} % may be",
    )


def _schedule_delay(generator: Generator, requests: RequestSummary, thresholds: Thresholds) -> ValidityCheck:
    p50_ms = requests.latency.p50_ms if requests.latency else 0.0
    of_p50_ms = p50_ms * thresholds.schedule_delay_of_p50_percent / 100
    limit_ms = max(thresholds.schedule_delay_p99_ms, of_p50_ms)
    delay_ms, words = _delay(generator, requests, limit_ms)
    return _check(
        "schedule_delay_p99_ms",
        delay_ms,
        Comparison.AT_MOST,
        limit_ms,
        words,
        disturbs=True,
    )


def _delay(generator: Generator, requests: RequestSummary, limit_ms: float) -> tuple[float | None, str]:
    """Without a p99 the longest delay tells what is good enough, the p90 what is not."""
    delay, rule = requests.schedule_delay, f"at most {limit_ms:.3g} ms may be"
    if not generator.tells_intended_start:
        return None, f"how late requests were sent is not told by {generator.engine}"
    if delay is None:
        return None, "no request was sent that could have been late"
    if delay.p99_ms is not None:
        return delay.p99_ms, f"requests were sent {delay.p99_ms:.3g} ms late (p99), {rule}"
    if delay.maximum_ms <= limit_ms:
        return delay.maximum_ms, f"requests were sent {delay.maximum_ms:.3g} ms late or less, {rule}"
    if delay.p90_ms > limit_ms:
        return delay.p90_ms, f"requests were sent {delay.p90_ms:.3g} ms late (p90), {rule}"
    return None, (
        f"{delay.samples:,} requests are too few for a p99 of how late they were sent: "
        f"p90 {delay.p90_ms:.3g} ms, at most {delay.maximum_ms:.3g} ms"
    )


def _busy_s(plan: LoadPlan, load_run: LoadRun, summary: Summary) -> float:
    """Of an open loop, without the wait for its last answers, in which any generator is idle."""
    window_s = load_run.window.duration_s
    if isinstance(plan.profile, ConstantRate | RampingRate):
        return min(window_s, max(plan.profile.duration_s, summary.sending_s))
    return window_s


def _generator_cpu(generator: Generator, busy_s: float, thresholds: Thresholds) -> ValidityCheck:
    """Where the workers tell what each took, the busiest is judged: the others are no help to it."""
    cores, cpu_s = generator.worker_processes * generator.cores_per_process, generator.cpu_s
    if generator.busiest_worker_cpu_s is not None:
        cores, cpu_s = generator.cores_per_process, generator.busiest_worker_cpu_s
    used_percent = 100 * cpu_s / busy_s / cores if busy_s > 0 else None
    limit_percent = thresholds.generator_core_percent
    used = "an unknown part" if used_percent is None else f"{used_percent:.3g} %"
    return _check(
        "generator_core_percent",
        used_percent,
        Comparison.AT_MOST,
        limit_percent,
        f"{_who(generator)} used {used} of {_cores(cores)}, at most {limit_percent:g} % may be",
        disturbs=True,
    )


def _chaos(outcomes: Sequence[ChaosOutcome]) -> ValidityCheck:
    wrong = [f"{one.event.action} {one.event.target}: {one.problem}" for one in outcomes if one.problem]
    happened = len(outcomes) - len(wrong)
    return _check(
        "chaos_events",
        happened,
        Comparison.AT_LEAST,
        len(outcomes),
        "; ".join((f"{happened} of {len(outcomes)} events of the chaos went as planned", *wrong)),
    )


def _who(generator: Generator) -> str:
    told = generator.busiest_worker_cpu_s is not None and generator.worker_processes > 1
    return "the busiest of the generator's processes" if told else "the generator"


def _cores(cores: int) -> str:
    return "a core" if cores == 1 else f"each of {cores} cores"


def _check(
    name: str,
    value: float | None,
    comparison: Comparison,
    threshold: float,
    words: str,
    *,
    disturbs: bool = False,
) -> ValidityCheck:
    kept = value is not None and comparison.margin(value, threshold) >= 0
    status = CheckStatus.UNKNOWN if value is None else CheckStatus.VALID if kept else CheckStatus.DOUBTFUL
    return ValidityCheck(
        name=name,
        status=status,
        value=value,
        comparison=comparison,
        threshold=threshold,
        words=words,
        disturbs=disturbs,
    )
