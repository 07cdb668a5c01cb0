"""The engine itself: which of its loops carries out a plan, and what both need before they begin."""

from collections.abc import Callable
from dataclasses import dataclass

from loadtest.engines.builtin.closed_loop import closed_loop
from loadtest.engines.builtin.open_loop import open_loop
from loadtest.engines.connections import connections_of
from loadtest.engines.held_signals import run_interruptible
from loadtest.engines.open_files import check_open_files
from loadtest.engines.warm_up import warm_up_hosts
from loadtest.errors import UsageError
from loadtest.load_run import LoadRun
from loadtest.plan import REQUESTS_MOST, ClosedLoop, ConstantRate, LoadPlan, RampingRate
from loadtest.sample import Sample
from loadtest.target import TargetEnvironment


@dataclass(frozen=True, kw_only=True)
class BuiltinEngine:
    """An interrupt stops it at once: requests under way give no sample."""

    warm_up_pause_s: float = 0.5

    def check(self, plan: LoadPlan) -> None:
        match plan.profile:
            case ClosedLoop(concurrency=concurrency):
                check_open_files(concurrency, f"a concurrency of {concurrency}")
            case ConstantRate() | RampingRate() as profile:
                _check_size(profile.planned_requests)
                most = connections_of(profile, timeout_s=plan.timeout_s).most
                check_open_files(most, f"a rate that takes up to {most} connections")

    def run(
        self,
        plan: LoadPlan,
        target: TargetEnvironment,
        on_sample: Callable[[Sample], None],
        on_window: Callable[[], None],
    ) -> LoadRun:
        match plan.profile:
            case ClosedLoop() as profile:
                pause_s = self.warm_up_pause_s
                return run_interruptible(closed_loop(plan, profile, target, on_sample, on_window, pause_s))
            case ConstantRate() | RampingRate() as profile:
                warm_up_hosts(plan, target, pause_s=self.warm_up_pause_s)
                return run_interruptible(open_loop(plan, profile, target, on_sample, on_window))
            case other:
                raise TypeError(f"the built-in engine has no loop for {other}")


def _check_size(planned_requests: int) -> None:
    if planned_requests > REQUESTS_MOST:
        raise UsageError(
            f"an open loop of {planned_requests:,} requests is more than the built-in engine schedules, "
            f"{REQUESTS_MOST:,}",
            hint="Ask for a lower rate or a shorter time.",
        )
