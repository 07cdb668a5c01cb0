"""A target and readings to measure, with defaults that a test overrides where it matters."""

from collections.abc import Mapping, Sequence

from loadtest.load_options import LoadOptions
from loadtest.monitoring.queries import Metric, scopes_of
from loadtest.monitoring.readings import RawSeries, Reading
from loadtest.monitoring.resources import Question, Readings
from loadtest.sample import LoadWindow
from loadtest.target import (
    AppTarget,
    ClusterTarget,
    IngressTarget,
    LoadPodsTarget,
    MonitoringTarget,
    TargetEnvironment,
)
from loadtest.validity import Thresholds

FOO = AppTarget(
    name="foo",
    namespace="apps",
    host="foo.localhost",
    path="/",
    expected_body="foo",
    replicas=1,
    image="echo:1",
)
BAR = AppTarget(
    name="bar",
    namespace="apps",
    host="bar.localhost",
    path="/",
    expected_body="bar",
    replicas=1,
    image="echo:1",
)
FOO_POD, BAR_POD, INGRESS_POD = "foo-5d8f7c9b4-x2k9z", "bar-6f7d8b9c5-q4w7n", "ingress-controller-7b9f8-kx4zn"


def ingress_target(port: int = 80) -> IngressTarget:
    return IngressTarget(
        controller="nginx",
        namespace="ingress",
        service="ingress-nginx-controller",
        service_port=80,
        tunnelled=False,
        address="127.0.0.1",
        port=port,
        chart_version="1.0.0",
        image="nginx:1",
    )


def monitoring_target(port: int | None = 30090) -> MonitoringTarget:
    return MonitoringTarget(
        namespace="monitoring",
        service="prometheus",
        service_port=9090,
        address="127.0.0.1",
        port=port,
        scrape_interval_s=2.0,
    )


def target(
    *,
    ingress: IngressTarget | None = None,
    monitoring: MonitoringTarget | None = None,
    provider: str = "kind",
) -> TargetEnvironment:
    return TargetEnvironment(
        schema_version=1,
        cluster=ClusterTarget(
            provider=provider,
            name="loadproof",
            context="kind-loadproof",
            namespaces=None,
            kubeconfig_path="kubeconfig",
            nodes=1,
            kubernetes_version="1.34.4",
        ),
        ingress=ingress or ingress_target(),
        apps=(FOO, BAR),
        monitoring=monitoring or monitoring_target(),
        load=LoadOptions(),
        load_pods=LoadPodsTarget(
            namespace="load",
            namespace_labels={"app.kubernetes.io/name": "load"},
            image="loadproof/locust:1.0.0",
        ),
        slo=(),
        validity=Thresholds(),
    )


def window(start_s: float, end_s: float) -> LoadWindow:
    return LoadWindow(started_unix_ns=round(start_s * 1e9), ended_unix_ns=round(end_s * 1e9))


def question(
    start_s: float = 100.0, end_s: float = 102.0, *, requests: Mapping[str, int] | None = None
) -> Question:
    return Question(
        window=window(start_s, end_s),
        scopes=scopes_of((FOO, BAR), ingress_target()),
        scrape_interval_s=2.0,
        requests={"foo.localhost": 150, "bar.localhost": 50} if requests is None else requests,
        host_network_pods=frozenset(),
    )


def row(namespace: str, pod: str, *pairs: tuple[float, float], **labels: str) -> RawSeries:
    return RawSeries(
        labels={"namespace": namespace, "pod": pod, **labels},
        readings=tuple(Reading(at_s=at_s, value=value) for at_s, value in pairs),
    )


def readings_of_all(until_s: float = 104.0) -> dict[Metric, Sequence[RawSeries]]:
    """Every 2 s from 90 s on: foo uses 0.5 cores, bar 0.25, the ingress 1; each moves 1 kB a second.

    Each is held back in a fifth of the periods and waits a quarter of the time for a CPU, half for a disk.
    """
    moments = [90.0 + 2 * number for number in range(int((until_s - 90) / 2) + 1)]
    cores = {("apps", FOO_POD): 0.5, ("apps", BAR_POD): 0.25, ("ingress", INGRESS_POD): 1.0}

    def rows(per_s: float | None, constant: float = 0.0, **labels: str) -> list[RawSeries]:
        return [
            row(
                *pod,
                *((at_s, constant + at_s * (use if per_s is None else per_s)) for at_s in moments),
                **labels,
            )
            for pod, use in cores.items()
        ]

    return {
        Metric.CPU_SECONDS: rows(None, container="main"),
        Metric.MEMORY_BYTES: rows(0.0, 5e6, container="main"),
        Metric.RECEIVED_BYTES: rows(1000.0, interface="eth0"),
        Metric.TRANSMITTED_BYTES: rows(1000.0, interface="eth0"),
        Metric.LAST_SEEN: rows(1.0, container="main"),
        Metric.CPU_PERIODS: rows(10.0, container="main"),
        Metric.CPU_THROTTLED_PERIODS: rows(2.0, container="main"),
        Metric.CPU_THROTTLED_SECONDS: rows(0.125, container="main"),
        Metric.CPU_STALLED_SECONDS: rows(0.25, container="main"),
        Metric.MEMORY_STALLED_SECONDS: rows(0.0, container="main"),
        Metric.IO_STALLED_SECONDS: rows(0.5, container="main"),
    }


def empty_readings() -> Readings:
    return {metric: [] for metric in Metric}
