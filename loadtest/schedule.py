"""Which host each request of a load goes to: pure and seeded, so that a run can be repeated.

In a closed loop the plan fixes only the order: a request is intended for the moment a client becomes free,
which the engine alone knows. Leaves out clients, connections and clocks.
"""

from collections.abc import Sequence
from random import Random


def host_order(hosts: Sequence[str], *, requests: int, seed: int) -> list[str]:
    """The host of each request in the order of sending: shuffled, every host as often as any other.

    Where `requests` is no multiple of the hosts, chance decides which hosts get one more.
    """
    if not hosts:
        raise ValueError("a load needs at least one host")
    # S311: this is for repeating a run, no secret depends on it
    chance = Random(seed)  # noqa: S311
    shuffled_hosts = chance.sample(hosts, len(hosts))
    order = [shuffled_hosts[number % len(hosts)] for number in range(requests)]
    chance.shuffle(order)
    return order
