"""What a stack is made of, as values: the outcome of reading its configuration.

Leaves out where the values come from (`settings`, `check`) and what makes them valid (`parsing`).
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from infra.paths import kubeconfig


class LoadProfile(StrEnum):
    """The shape of a load."""

    CLOSED = "closed"
    CONSTANT_RATE = "constant_rate"
    RAMPING_RATE = "ramping_rate"
    USERS = "users"
    SCRIPT = "script"


class Arrivals(StrEnum):
    """How the requests of an open loop lie within its rate."""

    EVEN = "even"
    POISSON = "poisson"


class Spread(StrEnum):
    """Whether an app's pods are to be spread evenly over the nodes, or must be."""

    PREFERRED = "preferred"
    REQUIRED = "required"


class Metric(StrEnum):
    """A figure of the report that can have limits, unit included."""

    SUCCESS_RATIO = "success_ratio"
    FAILURE_RATIO = "failure_ratio"
    HTTP_ERRORS = "http_errors"
    TIMEOUTS = "timeouts"
    CONNECTION_ERRORS = "connection_errors"
    WRONG_BODIES = "wrong_bodies"
    ACHIEVED_RPS = "achieved_rps"
    LATENCY_AVERAGE_MS = "latency_average_ms"
    LATENCY_P50_MS = "latency_p50_ms"
    LATENCY_P90_MS = "latency_p90_ms"
    LATENCY_P95_MS = "latency_p95_ms"
    LATENCY_P99_MS = "latency_p99_ms"
    LATENCY_MAXIMUM_MS = "latency_maximum_ms"
    CPU_AVERAGE_CORES = "cpu_average_cores"
    CPU_SECONDS_PER_1000_REQUESTS = "cpu_seconds_per_1000_requests"
    CPU_THROTTLED_RATIO = "cpu_throttled_ratio"
    MEMORY_AVERAGE_BYTES = "memory_average_bytes"
    MEMORY_MAXIMUM_BYTES = "memory_maximum_bytes"
    RESTARTS = "restarts"
    OOM_KILLS = "oom_kills"

    @property
    def more_is_better(self) -> bool:
        return self in (Metric.SUCCESS_RATIO, Metric.ACHIEVED_RPS)

    @property
    def of_resources(self) -> bool:
        """What was used in the cluster, and not what clients saw."""
        return self.startswith(("cpu_", "memory_")) or self in (Metric.RESTARTS, Metric.OOM_KILLS)


class ChaosAction(StrEnum):
    """What is done to a pod or a node while the load goes on."""

    KILL = "kill"
    DELETE = "delete"
    FREEZE = "freeze"
    DELAY = "delay"


@dataclass(frozen=True, kw_only=True)
class ExistingCluster:
    """A context of a kubeconfig, of the one that `kubectl` would take where none is named."""

    context: str
    kubeconfig: Path | None


@dataclass(frozen=True, kw_only=True)
class ClusterSettings:
    """`provider` is a name in `infra.clusters.PROVIDERS`; the rest is of clusters to be made.

    `existing` is None where the cluster is to be made.
    `autoscaling_sync_s` is how often its autoscalers look at what their apps use.
    """

    provider: str
    existing: ExistingCluster | None
    name: str
    control_planes: int
    workers: int
    kubernetes_version: str
    node_image: str
    autoscaling_sync_s: int

    @property
    def nodes(self) -> int | None:
        """None where the cluster is not ours to count."""
        return None if self.existing else self.control_planes + self.workers

    @property
    def context(self) -> str:
        """The kubeconfig context, which kind names after the cluster."""
        return self.existing.context if self.existing else f"kind-{self.name}"


@dataclass(frozen=True, kw_only=True)
class SecretName:
    namespace: str
    name: str


@dataclass(frozen=True, kw_only=True)
class IngressSettings:
    """`controller` is a name in `infra.ingress.CONTROLLERS`; `port` is where it answers at `address`.

    An `address` of None is the machine's own loopback address. On an existing cluster a tunnel leads from
    there; at any other address the nodes' `node_port` is taken to stand behind it. With a `certificate`, a
    secret of the existing cluster, the apps answer over TLS as well.
    """

    controller: str
    address: str | None
    port: int
    node_port: int
    certificate: SecretName | None


@dataclass(frozen=True, kw_only=True)
class Resources:
    """Kubernetes quantities of one container."""

    cpu_request: str
    cpu_limit: str
    memory_request: str
    memory_limit: str


@dataclass(frozen=True, kw_only=True)
class AutoscalerSettings:
    """How many replicas an app may have; `target_cpu_percent` is of what each of them requests."""

    min_replicas: int
    max_replicas: int
    target_cpu_percent: int
    scale_up_stabilization_s: int


@dataclass(frozen=True, kw_only=True)
class AppSettings:
    """One service: what runs, and at which host and path it answers with what.

    With an autoscaler `replicas` is the fewest there are, else the only number.
    """

    name: str
    host: str
    path: str
    image: str
    args: tuple[str, ...]
    port: int
    expected_body: str
    replicas: int
    autoscaler: AutoscalerSettings | None
    spread: Spread
    resources: Resources


@dataclass(frozen=True, kw_only=True)
class MonitoringSettings:
    """Ports are on the machine's loopback address; `grafana_port` is None where no Grafana is wanted."""

    port: int
    scrape_interval_s: int
    grafana_port: int | None


@dataclass(frozen=True, kw_only=True)
class LoadStage:
    """A part of a ramp: within `duration_s` to `rate_rps`, at once where that is 0."""

    rate_rps: float
    duration_s: float


@dataclass(frozen=True, kw_only=True)
class LoadSettings:
    """Every profile's settings, whichever is chosen; what of it makes a load is for the load test to say."""

    engine: str
    profile: LoadProfile
    requests: int
    concurrency: int
    rate_rps: int
    duration_s: int
    stages: tuple[LoadStage, ...]
    arrivals: Arrivals
    max_connections: int
    worker_processes: int
    users: int
    spawn_rate_per_s: int
    wait_min_s: float
    wait_max_s: float
    script: str
    locust_workers: int
    locust_web_port: int
    timeout_s: int
    warm_up_retries: int
    seed: int


@dataclass(frozen=True, kw_only=True)
class ObjectiveSettings:
    """Limits of a metric in its own unit, at least one: beyond `warn_limit` is worth a warning, beyond
    `fail_limit` fails the run.

    What clients saw is that of one `host`, of all of them where it is None; what was used in the cluster is
    that of one `scope`, of the whole cluster where it is None.
    """

    metric: Metric
    host: str | None
    scope: str | None
    warn_limit: float | None
    fail_limit: float | None


@dataclass(frozen=True, kw_only=True)
class ValiditySettings:
    """How far the load's generator may be from its plan, and how busy itself, for its figures to count.

    Its delay in sending may be as long as `schedule_delay_p99_ms` or as `schedule_delay_of_p50_percent` of
    the median latency, whichever is more.
    """

    rate_deviation_percent: float
    schedule_delay_p99_ms: float
    schedule_delay_of_p50_percent: float
    generator_core_percent: float


@dataclass(frozen=True, kw_only=True)
class ChaosSettings:
    """`target` is `app/<name>` or `ingress` for one of their pods, or `node/<name>`, without the cluster's.

    A `duration_s` of None is for good, or as long as the load lasts; `delay_ms` is of delays alone.
    """

    at_s: float
    action: ChaosAction
    target: str
    duration_s: float | None
    delay_ms: float | None


@dataclass(frozen=True, kw_only=True)
class StackSettings:
    """`stack` is its name; `namespace_prefix` is before every name that is not inside a namespace of its."""

    stack: str
    namespace_prefix: str
    cluster: ClusterSettings
    ingress: IngressSettings
    apps: tuple[AppSettings, ...]
    monitoring: MonitoringSettings
    load: LoadSettings
    slo: tuple[ObjectiveSettings, ...]
    validity: ValiditySettings
    chaos: tuple[ChaosSettings, ...]

    @property
    def kubeconfig(self) -> Path | None:
        """The way into the cluster: in a place of the stack's own, or wherever an existing cluster's lies."""
        if self.cluster.existing:
            return self.cluster.existing.kubeconfig
        return kubeconfig(self.stack, self.cluster.name)

    @property
    def tunnelled(self) -> bool:
        """Whether the ingress is reached through a tunnel and not at a port of its own."""
        return self.cluster.existing is not None and self.ingress.address is None

    @property
    def host_ports(self) -> dict[str, int]:
        """The loopback ports this stack takes on the machine, by the key that sets each."""
        of_the_ingress = None if self.ingress.address else self.ingress.port
        if self.cluster.existing:
            return {"ingress_port": of_the_ingress} if of_the_ingress else {}
        ports = {
            "ingress_port": of_the_ingress,
            "monitoring_port": self.monitoring.port,
            "monitoring_grafana_port": self.monitoring.grafana_port,
        }
        return {key: port for key, port in ports.items() if port is not None}
