"""What the cluster used during the load window, as values. A missing figure is None, never 0."""

from dataclasses import dataclass

from loadtest.sample import LoadWindow

CLUSTER_SCOPE = "cluster"
# The kernel tells CPU time in hundredths of a second: of a shorter time that is more than a few percent.
SHORTEST_FOR_CPUS_S = 1.0
_WIDEST_RATIO = 1.5  # of readings to load: beyond it too much of what was read is not the load's


@dataclass(frozen=True, kw_only=True)
class Series:
    """Average, minimum and maximum over the window; `samples` counts the real readings they come from.

    Where several containers add up to one figure, it is the count of the one with the fewest.
    """

    average: float | None
    minimum: float | None
    maximum: float | None
    samples: int


@dataclass(frozen=True, kw_only=True)
class Total:
    """What was counted over the window; `samples` counts the readings, of the counter with the fewest."""

    value: float | None
    samples: int


NOT_COUNTED = Total(value=None, samples=0)


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """Averages over an equal part of the window, which begins `at_s` seconds after the window does."""

    at_s: float
    cpu_cores: float | None
    memory_bytes: float | None


@dataclass(frozen=True, kw_only=True)
class ScopeUsage:
    """One scope's use: an app by its name, `ingress`, or the whole `cluster`.

    `cpu_seconds` is the difference of the counters between the real sample timestamps that bracket the
    window, scaled to nothing: `cpu_window_s` says over how many seconds it was measured, at most (each
    container has timestamps of its own). Requests are those to the app's host; for `ingress` and
    `cluster` all of them. There is no figure per request where that is much longer than
    the window.

    `cpu_throttled_s` is for how long containers were held back by their CPU limit, and `cpu_throttled_ratio`
    in how many of the periods that the limit is of, 0 to 1. Containers stall while any of their work waits
    for a CPU, for memory or for a disk. Seconds are added up over containers, and those held back over CPUs
    as well: they may be more than the window has. `over_time` is empty where the load was over too soon.
    """

    scope: str
    cpu_cores: Series
    memory_bytes: Series
    network_receive_bytes_per_s: Series
    network_transmit_bytes_per_s: Series
    running_pods: Series
    cpu_seconds: float | None
    cpu_window_s: float | None
    cpu_seconds_per_1000_requests: float | None
    network_receive_bytes: Total = NOT_COUNTED
    network_transmit_bytes: Total = NOT_COUNTED
    cpu_throttled_s: Total = NOT_COUNTED
    cpu_throttled_ratio: float | None = None
    cpu_stalled_s: Total = NOT_COUNTED
    memory_stalled_s: Total = NOT_COUNTED
    io_stalled_s: Total = NOT_COUNTED
    restarts: Total = NOT_COUNTED
    oom_kills: Total = NOT_COUNTED
    over_time: tuple[Stretch, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ReplicaStep:
    """So many replicas were ready from then on; `at_s` is seconds from the load's beginning."""

    at_s: float
    replicas: int


@dataclass(frozen=True, kw_only=True)
class ReplicaHistory:
    """An autoscaled app's ready replicas over the load window: those from its beginning, then each change.

    Moments are seconds from the load's beginning by the cluster's clock, which tells whole seconds: each was
    up to one later. A replica is new that was created during the load; None: there was none, or none became
    ready. To a ready replica the ingress sends requests as soon as it learns of it.
    """

    app: str
    ready: tuple[ReplicaStep, ...]
    first_new_created_s: float | None
    first_new_ready_s: float | None


@dataclass(frozen=True, kw_only=True)
class MachineUse:
    """What the machine did between two readings around the load, `window_s` apart.

    `other_cores` is what neither the cluster nor the load generator used; `steal_ratio` is how much of all
    CPUs' time the machine's own host gave to others, 0 to 1. The other ratios are for how much of the time
    any of the machine's work waited for a CPU, for memory or for a disk. None: the system does not tell, or
    the load was too short for it.
    """

    window_s: float
    cpus: int | None
    load_average_before: float | None
    busy_cores: float | None
    other_cores: float | None
    steal_ratio: float | None
    cpu_stalled_ratio: float | None
    memory_stalled_ratio: float | None
    io_stalled_ratio: float | None


@dataclass(frozen=True, kw_only=True)
class ResourceUsage:
    """`problems` says in words what could not be measured and why, `untold` what the cluster tells of nothing
    at all that runs on it.

    `replicas` has a row for each app with an autoscaler. `dashboard_url` is where Grafana shows the window
    while the cluster is up; None where there is no Grafana.
    `waited_s` is how long the measurement waited after the load for readings newer than the window.
    """

    window: LoadWindow
    scrape_interval_s: float
    scopes: tuple[ScopeUsage, ...]
    problems: tuple[str, ...]
    untold: tuple[str, ...] = ()
    waited_s: float = 0.0
    machine: MachineUse | None = None
    replicas: tuple[ReplicaHistory, ...] = ()
    dashboard_url: str | None = None

    @property
    def widest_cpu_window_s(self) -> float | None:
        """Over how many seconds readings reach, where that is much more than the load took."""
        spans_s = [one.cpu_window_s for one in self.scopes if one.cpu_window_s is not None]
        return max((one for one in spans_s if is_wider(one, self.window)), default=None)


def is_wider(cpu_window_s: float, window: LoadWindow) -> bool:
    """Whether readings reach so far around the window that they say little of the window alone."""
    return cpu_window_s > _WIDEST_RATIO * window.duration_s
