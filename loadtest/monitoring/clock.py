"""Whether the clock that readings bear is this machine's, by which the load's window was taken.

Leaves out setting anything right: readings of another moment than the load are said to be that.
"""

import time
from collections.abc import Callable

from loadtest.monitoring.client import PrometheusClient

# Well below the time between two scrapes, above what asking takes on a busy machine.
_TOLERATED_S = 0.5


def clock_problem(client: PrometheusClient, unix_s: Callable[[], float] = time.time) -> str | None:
    """In words, by how much the clocks differ at least; None where they may be the same."""
    before_s = unix_s()
    cluster_s = client.clock_s()
    ahead_s, behind_s = cluster_s - unix_s(), before_s - cluster_s
    if max(ahead_s, behind_s) <= _TOLERATED_S:
        return None
    words = f"{ahead_s:.1f} s ahead of" if ahead_s > 0 else f"{behind_s:.1f} s behind"
    return f"the cluster's clock is {words} this machine's: its readings are of another time than the load"
