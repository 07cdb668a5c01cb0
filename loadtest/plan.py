"""What load to send: a validated value that comes from the stack's config and may be overridden by flags."""

from dataclasses import dataclass, replace
from typing import Any

from loadtest.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class LoadPlan:
    """A closed loop: `concurrency` clients send `requests` requests in all, each the next as soon as it may.

    `warm_up_retries` is how often a warm-up request of a host may fail before the run is given up;
    warm-up requests are never samples. `seed` fixes the order of hosts: same seed, same order.
    """

    requests: int = 200
    concurrency: int = 20
    timeout_s: float = 10.0
    warm_up_retries: int = 2
    seed: int = 1

    def problems(self) -> list[str]:
        """Everything wrong with this plan, one sentence each; empty when it can be carried out."""
        return [
            f"{name} is {value}, it has to be {rule}"
            for name, value, ok, rule in (
                ("requests", self.requests, self.requests >= 1, "at least 1"),
                ("concurrency", self.concurrency, 1 <= self.concurrency <= 10_000, "between 1 and 10000"),
                ("timeout_s", self.timeout_s, 0 < self.timeout_s <= 600, "above 0 and at most 600"),
                ("warm_up_retries", self.warm_up_retries, self.warm_up_retries >= 0, "at least 0"),
            )
            if not ok
        ]

    def overridden(self, **flags: Any) -> "LoadPlan":  # noqa: ANN401 - each flag has its field's type
        """This plan with the flags that were given (not None) in place; UsageError tells all problems."""
        plan = replace(self, **{name: value for name, value in flags.items() if value is not None})
        if problems := plan.problems():
            raise UsageError("the load plan cannot be carried out: " + "; ".join(problems))
        return plan
