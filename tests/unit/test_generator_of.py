"""What several processes that send one load say of themselves, as one generator."""

from loadtest.engines.builtin.messages import Ended
from loadtest.engines.builtin.open_loop import generator_of
from loadtest.load_run import GcPauses, Generator
from loadtest.plan import ConstantRate


def ended(*, cpu_s: float, dropped: int, longest_ms: float) -> Ended:
    pauses = GcPauses(count=2, total_ms=longest_ms + 1, longest_ms=longest_ms)
    return Ended(cpu_s=cpu_s, connections_opened=3, dropped_requests=dropped, gc_pauses=pauses)


def test_work_adds_up_and_the_worst_of_them_is_told() -> None:
    processes = [ended(cpu_s=1.0, dropped=4, longest_ms=2), ended(cpu_s=1.5, dropped=5, longest_ms=1)]
    profile = ConstantRate(rate_rps=10, duration_s=2)
    assert generator_of(profile, processes, own_cpu_s=0.25) == Generator(
        engine="builtin",
        cpu_s=2.75,
        connections_opened=6,
        dropped_requests=9,
        worker_processes=2,
        busiest_worker_cpu_s=1.5,
        planned_rps=10,
        gc_pauses=GcPauses(count=4, total_ms=5, longest_ms=2),
    )
