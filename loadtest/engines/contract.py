"""What every load engine offers; `loadtest.engines.ENGINES` lists the ones there are."""

from collections.abc import Callable
from typing import Protocol

from loadtest.load_run import LoadRun
from loadtest.plan import LoadPlan
from loadtest.sample import Sample
from loadtest.target import TargetEnvironment


class Engine(Protocol):
    def check(self, plan: LoadPlan) -> None:
        """Raises MachineError where this machine does not let it hold what the plan takes (open files).

        UsageError where the plan's script is one that it cannot take.
        """
        ...

    def run(
        self,
        plan: LoadPlan,
        target: TargetEnvironment,
        on_sample: Callable[[Sample], None],
        on_window: Callable[[], None],
    ) -> LoadRun:
        """Warm up, send the plan's load, hand over each sample as its request ends.

        `on_window` is called once: when all is warm and connections stand, right before the load's first
        moment. Where another program sends the load and tells its moments late, it comes as late as can be.

        The plan's profile is one that the engine's row in the table names. Raises UnhealthyError where
        warm-up does not get a right answer from every host, MachineError where the engine's own program ends
        early, UsageError where a script fails. May be called again and again and from any thread. What either
        of the two functions raises ends the run, and so does an interrupt: no process and no connection is
        left then.
        """
        ...
