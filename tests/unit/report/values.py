"""Reports for tests: one that passed, and what others differ in."""

from dataclasses import replace

import msgspec

from loadtest.chaos.model import Action, ChaosEvent, ChaosOutcome, Gap, HostEffect, Pace
from loadtest.exit_codes import ExitCode
from loadtest.load_options import LoadOptions
from loadtest.load_run import Generator, LoadRun
from loadtest.machine import Machine
from loadtest.monitoring.model import (
    MachineUse,
    ReplicaHistory,
    ReplicaStep,
    ResourceUsage,
    ScopeUsage,
    Series,
    Stretch,
    Total,
)
from loadtest.report.model import FailureReport, Report, RunIdentity, StageTiming
from loadtest.sample import Arm, ErrorClass, LoadWindow
from loadtest.security import Finding, Findings, PartFindings, Severity
from loadtest.slo import Objective, evaluate
from loadtest.stats.curves import Bin, Curves, Delay, HostCurves, Quantile, Span, Spread
from loadtest.stats.summary import (
    ArmSummary,
    Interval,
    LatencyParts,
    LatencyStats,
    RequestSummary,
    Summary,
    TimeStats,
)
from loadtest.target import AppTarget, AutoscalerTarget, ClusterTarget, IngressTarget
from loadtest.validity import Thresholds, validity_of
from loadtest.versions import NodeVersions, RunningImage, Versions

WINDOW = LoadWindow(started_unix_ns=1_770_000_000_000_000_000, ended_unix_ns=1_770_000_000_250_000_000)
RUN = RunIdentity(
    stack="ci",
    created_at="2026-02-02T02:40:00Z",
    commit="0123456789abcdef0123456789abcdef01234567",
    repository="octo/service",
    pull_request=7,
    run_url="https://github.example/octo/service/actions/runs/1",
)
MACHINE = Machine(
    cpu_model="Example CPU @ 2.0GHz", cpu_count=2, memory_bytes=25_769_803_776, kernel="Linux 6.1.0"
)
NODE = NodeVersions(
    name="loadproof-worker",
    kubelet="v1.34.4",
    container_runtime="containerd://1.7.24",
    kernel="6.1.0",
    image="loadproof/node:v1.34.4",
    image_id="sha256:0123",
)
VERSIONS = Versions(
    engine="26.1.5",
    nodes=(
        replace(NODE, name="loadproof-control-plane", image="kindest/node:v1.34.4", image_id="sha256:4567"),
        NODE,
        replace(NODE, name="loadproof-worker2"),
    ),
    images=(RunningImage(namespace="apps", image="hashicorp/http-echo:1.0.0", image_id="sha256:89ab"),),
)
TIMINGS = (
    StageTiming(stage="up", duration_s=41.52, outcome="ok"),
    StageTiming(stage="health", duration_s=6.04, outcome="ok"),
    StageTiming(stage="load", duration_s=0.31, outcome="ok"),
)
OPTIONS = LoadOptions()
GENERATOR = Generator(engine="closed_loop", cpu_s=0.12, connections_opened=20)
OBJECTIVES = (
    Objective(metric="success_ratio", fail_limit=1.0),
    Objective(metric="latency_p95_ms", fail_limit=50.0),
)


def latency(*, samples: int = 100, p99_ms: float | None = None) -> LatencyStats:
    return LatencyStats(
        samples=samples,
        average_ms=4.117,
        minimum_ms=0.912,
        p50_ms=3.7,
        p50_interval=Interval(low_ms=3.21, high_ms=4.08),
        p90_ms=7.25,
        p90_interval=Interval(low_ms=6.5, high_ms=9.41),
        p95_ms=9.5,
        p95_interval=None if p99_ms is None else Interval(low_ms=9.1, high_ms=9.93),
        p99_ms=p99_ms,
        p99_interval=None if p99_ms is None else Interval(low_ms=81.0, high_ms=97.2),
        maximum_ms=123.4,
    )


NO_PARTS = LatencyParts(connect=None, first_byte=None, transfer=None)
PARTS = LatencyParts(
    connect=TimeStats(samples=3, p50_ms=0.211, p90_ms=0.35, p99_ms=None, maximum_ms=0.35),
    first_byte=TimeStats(samples=12_000, p50_ms=3.1, p90_ms=6.7, p99_ms=80.5, maximum_ms=120.9),
    transfer=TimeStats(samples=12_000, p50_ms=0.021, p90_ms=0.034, p99_ms=0.402, maximum_ms=2.75),
)
SCHEDULE_DELAY = TimeStats(samples=200, p50_ms=0.031, p90_ms=0.084, p99_ms=None, maximum_ms=0.42)


def requests(
    count: int = 100,
    *,
    http_errors: int = 0,
    timeouts: int = 0,
    p99_ms: float | None = None,
) -> RequestSummary:
    failed = http_errors + timeouts
    classes = {ErrorClass.HTTP_5XX: http_errors, ErrorClass.TIMEOUT: timeouts}
    return RequestSummary(
        requests=count,
        succeeded=count - failed,
        success_ratio=(count - failed) / count if count else 0.0,
        http_errors=http_errors,
        timeouts=timeouts,
        connection_errors=0,
        wrong_bodies=0,
        errors={error: times for error, times in classes.items() if times},
        achieved_rps=count / WINDOW.duration_s,
        latency=latency(samples=count - failed, p99_ms=p99_ms) if count > failed else None,
        latency_from_intended_start=None,
        latency_parts=NO_PARTS,
        schedule_delay=SCHEDULE_DELAY if count else None,
    )


def summary(combined: RequestSummary, **hosts: RequestSummary) -> Summary:
    named = {f"{name}.localhost": figures for name, figures in hosts.items()}
    arm = ArmSummary(arm=Arm.HEAD, combined=combined, hosts=named)
    return Summary(duration_s=WINDOW.duration_s, sending_s=WINDOW.duration_s - 0.01, arms=(arm,))


# A span with errors, one in which nothing was sent, and one without a right answer.
HOST_CURVES = HostCurves(
    spans=(
        Span(
            at_s=0.0,
            requests=60,
            errors={ErrorClass.HTTP_5XX: 2, ErrorClass.TIMEOUT: 1},
            latency=Spread(minimum_ms=0.912, p50_ms=3.7, p95_ms=9.5, p99_ms=None, maximum_ms=123.4),
            delay=Delay(p50_ms=0.031, maximum_ms=0.42),
        ),
        Span(at_s=0.1, requests=0, errors={}, latency=None, delay=None),
        Span(
            at_s=0.2,
            requests=1,
            errors={ErrorClass.TIMEOUT: 1},
            latency=None,
            delay=Delay(p50_ms=0.025, maximum_ms=0.025),
        ),
    ),
    histogram=(
        Bin(low_ms=0.891, high_ms=1.0, samples=1),
        Bin(low_ms=1.0, high_ms=1.122, samples=0),
        Bin(low_ms=1.122, high_ms=1.259, samples=56),
    ),
    quantiles=(Quantile(percent=1.0, value_ms=0.95), Quantile(percent=50.0, value_ms=1.2)),
)
CURVES = Curves(span_s=0.1, hosts={"bar.localhost": HOST_CURVES, "foo.localhost": HOST_CURVES})

MISSING = Series(average=None, minimum=None, maximum=None, samples=0)


OVER_TIME = (
    Stretch(at_s=0.0, cpu_cores=0.0567, memory_bytes=11_534_336),
    Stretch(at_s=0.1, cpu_cores=None, memory_bytes=12_582_912),
    Stretch(at_s=0.2, cpu_cores=0.31, memory_bytes=None),
)


def scope(name: str, *, cpu_window_s: float = 0.31, per_1000_requests: float | None = 2.55) -> ScopeUsage:
    return ScopeUsage(
        scope=name,
        cpu_cores=Series(average=0.1234, minimum=0.05, maximum=0.31, samples=4),
        memory_bytes=Series(average=12_582_912, minimum=11_534_336, maximum=13_631_488, samples=5),
        network_receive_bytes_per_s=Series(average=20_480, minimum=1_024, maximum=51_200, samples=4),
        network_transmit_bytes_per_s=MISSING,
        running_pods=Series(average=2, minimum=2, maximum=2, samples=5),
        cpu_seconds=0.51,
        cpu_window_s=cpu_window_s,
        cpu_seconds_per_1000_requests=per_1000_requests,
        network_receive_bytes=Total(value=5_120, samples=4),
        cpu_throttled_s=Total(value=0.021, samples=4),
        cpu_throttled_ratio=0.02,
        cpu_stalled_s=Total(value=0.13, samples=4),
        memory_stalled_s=Total(value=0.0, samples=4),
        io_stalled_s=Total(value=None, samples=0),
        restarts=Total(value=0.0, samples=2),
        oom_kills=Total(value=0.0, samples=2),
        over_time=OVER_TIME,
    )


MACHINE_USE = MachineUse(
    window_s=1.25,
    cpus=2,
    load_average_before=0.41,
    busy_cores=1.3,
    other_cores=0.05,
    steal_ratio=0.0,
    cpu_stalled_ratio=0.2,
    memory_stalled_ratio=0.0,
    io_stalled_ratio=None,
)
RESOURCES = ResourceUsage(
    window=WINDOW,
    scrape_interval_s=2.0,
    scopes=(scope("foo"), scope("bar"), scope("ingress"), scope("cluster")),
    problems=("foo: network_transmit_bytes_per_s has no samples in the window",),
    waited_s=1.5,
    machine=MACHINE_USE,
)
# Measured over much more than the load, which was too short to count the machine's CPUs.
WIDE_RESOURCES = replace(
    RESOURCES,
    machine=replace(MACHINE_USE, window_s=0.197, busy_cores=None, other_cores=None, steal_ratio=None),
    scopes=(
        scope("foo", cpu_window_s=1.05, per_1000_requests=None),
        scope("cluster", cpu_window_s=3.77, per_1000_requests=None),
    ),
)
PASSED_SUMMARY = summary(requests(200), foo=requests(100), bar=requests(100))
# An app over its limits, on a machine that had other things to do.
TROUBLED_RESOURCES = replace(
    RESOURCES,
    scopes=(
        replace(
            scope("foo"),
            cpu_throttled_ratio=0.31,
            restarts=Total(value=2.0, samples=2),
            oom_kills=Total(value=1.0, samples=2),
        ),
        scope("bar"),
    ),
    untold=("stalls: no node tells them: its kernel has to keep version 2 of cgroups",),
    machine=replace(MACHINE_USE, other_cores=0.7, steal_ratio=0.034),
)
MISSED_SUMMARY = summary(
    requests(200, http_errors=3, timeouts=1),
    foo=requests(100, http_errors=3, timeouts=1),
    bar=requests(100),
)


def app(name: str, image: str = "hashicorp/http-echo:1.0.0") -> AppTarget:
    return AppTarget(
        name=name,
        namespace="apps",
        host=f"{name}.localhost",
        path="/",
        expected_body=name,
        replicas=2,
        image=image,
    )


def autoscaled(name: str) -> AppTarget:
    rule = AutoscalerTarget(min_replicas=1, max_replicas=4, target_cpu_percent=50, scale_up_stabilization_s=0)
    return replace(app(name), replicas=1, autoscaler=rule)


# One that scaled, one that had no need to, one whose new replica came too late, and one nobody knows of.
AUTOSCALED_APPS = tuple(map(autoscaled, ("foo", "idle", "late", "unknown")))
AUTOSCALED_RESOURCES = replace(
    RESOURCES,
    dashboard_url="http://127.0.0.1:30030/d/loadproof?from=1769999990000&to=1770000010250",
    replicas=(
        ReplicaHistory(
            app="foo",
            ready=tuple(
                ReplicaStep(at_s=at_s, replicas=count) for at_s, count in ((0.0, 1), (17.3, 2), (33.3, 4))
            ),
            first_new_created_s=14.3,
            first_new_ready_s=17.3,
        ),
        ReplicaHistory(
            app="idle",
            ready=(ReplicaStep(at_s=0.0, replicas=1),),
            first_new_created_s=None,
            first_new_ready_s=None,
        ),
        ReplicaHistory(
            app="late",
            ready=(ReplicaStep(at_s=0.0, replicas=1),),
            first_new_created_s=29.3,
            first_new_ready_s=None,
        ),
    ),
)


def report(
    summary: Summary = PASSED_SUMMARY,
    *,
    resources: ResourceUsage | None = RESOURCES,
    objectives: tuple[Objective, ...] = OBJECTIVES,
    apps: tuple[AppTarget, ...] = (app("foo"), app("bar")),
    run: RunIdentity = RUN,
    options: LoadOptions = OPTIONS,
    generator: Generator = GENERATOR,
    chaos: tuple[ChaosOutcome, ...] = (),
) -> Report:
    plan = options.plan()
    load_run = LoadRun(window=WINDOW, generator=generator)
    validity = validity_of(plan, load_run, summary, Thresholds(), chaos)
    return Report(
        run=run,
        machine=MACHINE,
        versions=VERSIONS,
        fingerprint="0123456789ab",
        cluster=ClusterTarget(
            provider="kind",
            name="loadproof",
            context="kind-loadproof",
            namespaces=None,
            kubeconfig_path=".kubeconfigs/ci/loadproof.yaml",
            nodes=3,
            kubernetes_version="v1.34.4",
        ),
        ingress=IngressTarget(
            controller="ingress-nginx",
            namespace="ingress",
            service="ingress-nginx-controller",
            service_port=80,
            tunnelled=False,
            address="127.0.0.1",
            port=80,
            chart_version="4.11.0",
            image="example/controller:v1.11.0",
        ),
        apps=apps,
        plan=plan,
        window=WINDOW,
        generator=load_run.generator,
        summary=summary,
        curves=CURVES,
        resources=resources,
        chaos=chaos,
        validity=validity,
        verdict=evaluate(objectives, summary, resources, validity),
        timings=TIMINGS,
    )


def open_loop() -> Report:
    """At a constant rate, by an engine that tells everything."""
    combined = replace(
        requests(12_000, p99_ms=88.8),
        latency_from_intended_start=replace(latency(samples=12_000, p99_ms=88.9), p50_ms=3.74),
        latency_parts=PARTS,
        schedule_delay=replace(SCHEDULE_DELAY, samples=12_000, p99_ms=0.181),
    )
    generator = Generator(engine="builtin", cpu_s=0.19, connections_opened=23, planned_rps=48_000.0)
    options = LoadOptions(profile="constant_rate", rate_rps=48_000.0, duration_s=0.25)
    return report(summary(combined, foo=combined), options=options, generator=generator)


DURING = Pace(samples=99, p50_ms=4.2, p95_ms=61.5, maximum_ms=130.0)


def effect(
    *,
    errors: dict[ErrorClass, int] | None = None,
    recovered_after_s: float | None = 0.0,
    during: Pace | None = DURING,
) -> HostEffect:
    return HostEffect(
        in_flight=3,
        in_flight_failed=1 if errors else 0,
        requests=600,
        errors=errors or {},
        recovered_after_s=recovered_after_s,
        longest_gap=Gap(began_s=5.09, duration_s=2.01 if errors else 0.093),
        longest_gap_before=Gap(began_s=1.2, duration_s=0.054),
        during_s=recovered_after_s or 1.0,
        before=Pace(samples=250, p50_ms=1.41, p95_ms=4.89, maximum_ms=20.0),
        during=during,
    )


# One that was felt, one after which nothing answered, one undone again that nobody noticed, one that failed.
CHAOS = (
    ChaosOutcome(
        event=ChaosEvent(at_s=5.0, action=Action.KILL, target="app/foo"),
        victim="pod apps/foo-54b7fb55dc-2mhkh on loadproof-worker",
        at_s=5.012,
        took_s=0.021,
        over_s=None,
        problem=None,
        hosts={
            "bar.localhost": effect(),
            "foo.localhost": effect(
                errors={ErrorClass.HTTP_5XX: 299, ErrorClass.CLOSED: 2}, recovered_after_s=3.31
            ),
        },
    ),
    ChaosOutcome(
        event=ChaosEvent(at_s=12.0, action=Action.KILL, target="node/worker2"),
        victim="node loadproof-worker2",
        at_s=12.0,
        took_s=0.3,
        over_s=29.96,
        problem=None,
        hosts={
            "foo.localhost": effect(errors={ErrorClass.TIMEOUT: 600}, recovered_after_s=None, during=None)
        },
    ),
    ChaosOutcome(
        event=ChaosEvent(at_s=20.5, action=Action.DELAY, target="ingress", duration_s=1.0, delay_ms=50.0),
        victim="pod ingress-nginx/ingress-nginx-controller-6bccf459bf-bzdm6 on loadproof-control-plane",
        at_s=20.5,
        took_s=0.01,
        over_s=21.51,
        problem=None,
        hosts={"foo.localhost": effect()},
    ),
    ChaosOutcome(
        event=ChaosEvent(at_s=25.0, action=Action.DELETE, target="app/bar"),
        victim=None,
        at_s=None,
        took_s=None,
        over_s=None,
        problem="app/bar has no pod that is ready",
        hosts={},
    ),
)


# Of a scan without databases: what it named, what it explained, what it could not look at.
SCAN = Findings(
    scanned_at="2026-02-02T02:39:00+00:00",
    parts=(
        PartFindings(
            part="repository",
            counts={Severity.CRITICAL: 1, Severity.HIGH: 1, Severity.LOW: 12},
            explained=4,
            severe=(
                Finding(
                    id="github-pat",
                    severity=Severity.CRITICAL,
                    where="deploy.sh",
                    title="GitHub Personal Access Token",
                ),
                Finding(
                    id="DS-0002",
                    severity=Severity.HIGH,
                    where="Dockerfile",
                    title="Image user should not be 'root'",
                ),
            ),
            left_out=("vulnerabilities: no database could be reached",),
        ),
        PartFindings(part="manifests", counts={}, explained=1),
        PartFindings(part="images", counts=None, left_out=("shop:ci: there is no such image",)),
    ),
)


def failure(
    *,
    reason: str = "the rollout of foo did not end within 180 s",
    hint: str = "diagnostics/ among the artifacts has the pods' events and logs.",
    diagnostics_tail: tuple[str, ...] = (
        "Warning  BackOff  pod/foo-1  Back-off restarting failed container",
    ),
) -> FailureReport:
    return FailureReport(
        run=RUN,
        machine=MACHINE,
        exit_code=ExitCode.UNHEALTHY,
        stage="health",
        reason=reason,
        hint=hint,
        diagnostics_tail=diagnostics_tail,
        timings=(TIMINGS[0], StageTiming(stage="health", duration_s=180.0, outcome="failed")),
    )


def cut_short() -> FailureReport:
    return msgspec.structs.replace(
        failure(reason="the load was cut short: 200 of 2,000 planned requests within 0.25 s were kept"),
        exit_code=ExitCode.INCONCLUSIVE,
        stage="load",
        diagnostics_tail=(),
        summary=PASSED_SUMMARY,
        curves=CURVES,
    )
