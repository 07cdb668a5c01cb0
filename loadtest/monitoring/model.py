"""What the cluster used during the load window, as values. A missing figure is None, never 0."""

from dataclasses import dataclass

from loadtest.sample import LoadWindow


@dataclass(frozen=True, kw_only=True)
class Series:
    """Average, minimum and maximum over the window, with the number of real samples they come from."""

    average: float | None
    minimum: float | None
    maximum: float | None
    samples: int


@dataclass(frozen=True, kw_only=True)
class ScopeUsage:
    """One scope's use: an app by its name, `ingress`, or the whole `cluster`.

    `cpu_seconds` is the difference of the counters between the real sample timestamps that bracket the
    window, scaled to nothing: `cpu_window_s` says over how many seconds it was measured.
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


@dataclass(frozen=True, kw_only=True)
class ResourceUsage:
    """`problems` says in words what could not be measured and why."""

    window: LoadWindow
    scrape_interval_s: float
    scopes: tuple[ScopeUsage, ...]
    problems: tuple[str, ...]
