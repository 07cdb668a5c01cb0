"""From a deployed stack to its report: health, load, monitor, report, in this order.

What the report needs beside samples and resources is saved before the load, so that `report_from` makes the
same report again from files alone. Leaves out deploying, publishing and taking down.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from itertools import takewhile

import pyarrow as pa

from loadtest import cut_short, machine, records, sample_store, slo
from loadtest.artifacts import Artifacts
from loadtest.chaos import effects
from loadtest.chaos.executor import chaos_during
from loadtest.chaos.hands import Hands
from loadtest.chaos.model import ChaosRecord, Deed
from loadtest.chaos.planned import check_fits
from loadtest.cluster.direct import direct
from loadtest.cluster.kubectl import Kubectl, kubectl_for
from loadtest.cluster.versions import read_versions
from loadtest.engines import engine_for
from loadtest.engines.contract import Engine
from loadtest.errors import InconclusiveError, LoadTestError
from loadtest.fingerprint import fingerprint
from loadtest.health.gate import Patience, wait_healthy
from loadtest.health.tunnel import way_to_ingress
from loadtest.job import Job
from loadtest.live_load import LiveLoad
from loadtest.load_run import LoadRun
from loadtest.monitoring import measure as monitoring
from loadtest.monitoring.edges import Edges, readable, ready_edges
from loadtest.monitoring.machine_use import machine_use
from loadtest.monitoring.model import ResourceUsage
from loadtest.monitoring.readings import span_of
from loadtest.plan import LoadPlan
from loadtest.records import RunRecord
from loadtest.report.model import SCHEMA_VERSION, AnyReport, Report, StageTiming
from loadtest.report.timings import Timings
from loadtest.sample import Arm
from loadtest.stages import Stages
from loadtest.stats.summarise import summarise
from loadtest.stats.summary import Summary
from loadtest.stats.trace import trace
from loadtest.target import TargetEnvironment
from loadtest.validity import validity_of
from loadtest.versions import Versions

logger = logging.getLogger(__name__)

REPORT_STAGE = "report"


def measure(job: Job, target: TargetEnvironment, stages: Stages) -> Report:
    """Raises LoadTestError where the stack is not healthy or the load cannot be sent."""
    plan = target.load.plan(job.load_flags)
    engine = engine_for(plan)
    check_fits(target.chaos, plan.profile)
    record = RunRecord(run=job.identity(), machine=machine.read(), target=target, plan=plan)
    records.save(record, job.artifacts.run)
    with (
        _way_to_cluster(target) as kubectl,
        way_to_ingress(target) as way,
        ready_edges(target.cluster) as edges,
    ):
        with stages.stage("health") as say:
            patience = Patience(limit_s=job.health_timeout_s)
            health = wait_healthy(target, kubectl, way, patience=patience, say=say)
            logger.info("healthy", extra={"checks": {one.name: one.took_s for one in health.checks}})
        with stages.stage("load"):
            if plan.locust_web_port:
                stages.note(f"locust's web page: http://127.0.0.1:{plan.locust_web_port}")
            live = LiveLoad(plan.profile, stages.live)
            load_run = _send(job.artifacts, engine, target, plan, live, edges, kubectl)
            samples, _ = sample_store.read(job.artifacts.samples)
            summary = summarise(samples, load_run)
        with stages.stage("monitor") as say:
            usage = _monitor(record, load_run, summary, edges, kubectl, say)
            records.save(usage, job.artifacts.resources)
            record = replace(record, versions=_versions(target, edges, kubectl))
            records.save(record, job.artifacts.run)
    with stages.stage(REPORT_STAGE):
        deeds = _deeds(target, job.artifacts)
        return _report(record, load_run, samples, summary, usage, deeds, stages.timings)


def _way_to_cluster(target: TargetEnvironment) -> AbstractContextManager[Kubectl]:
    """By the short way where the key is the stack's own, and not a person's."""
    kubectl = kubectl_for(target.cluster)
    return direct(kubectl) if readable(target.cluster) else nullcontext(kubectl)


def report_from(artifacts: Artifacts) -> AnyReport:
    """The report of the run whose files these are; of a load that was cut short, what can be said of it.

    Raises UsageError where one is missing or damaged, InconclusiveError where they are not of one run.
    """
    record = records.load(RunRecord, artifacts.run)
    # A run that was killed has none.
    stages = records.load(Timings, artifacts.timings).stages if artifacts.timings.exists() else ()
    if sample_store.is_cut_short(artifacts.samples):
        return cut_short.report_of(record, sample_store.read_samples(artifacts.samples), stages)
    samples, load_run = sample_store.read(artifacts.samples)
    usage = _no_resources(record.target, load_run, "the run ended before they were measured")
    if artifacts.resources.exists():
        usage = records.load(ResourceUsage, artifacts.resources)
    if usage.window != load_run.window:
        raise InconclusiveError(
            f"{artifacts.resources} is of another window than the samples",
            hint="Give it the artifacts of one run as that run left them.",
        )
    deeds = _deeds(record.target, artifacts)
    return _report(record, load_run, samples, summarise(samples, load_run), usage, deeds, stages)


def _send(
    artifacts: Artifacts,
    engine: Engine,
    target: TargetEnvironment,
    plan: LoadPlan,
    live: LiveLoad,
    edges: Edges,
    kubectl: Kubectl,
) -> LoadRun:
    with sample_store.writer(artifacts.samples, live.add) as writer:
        hands = Hands(target)
        hands.prepare()
        with edges.around(target.cluster, kubectl), chaos_during(target.chaos, hands.aim) as chaos:

            def begin() -> None:
                edges.begin()
                live.begin()
                logger.info("the window begins")
                chaos.begin()

            load_run = engine.run(plan, target, writer.append, begin)
        writer.finish(load_run)
    if target.chaos:
        records.save(ChaosRecord(deeds=chaos.deeds), artifacts.chaos)
    return load_run


def _deeds(target: TargetEnvironment, artifacts: Artifacts) -> Sequence[Deed]:
    return records.load(ChaosRecord, artifacts.chaos).deeds if target.chaos else ()


def _monitor(
    record: RunRecord,
    load_run: LoadRun,
    summary: Summary,
    edges: Edges,
    kubectl: Kubectl,
    say: Callable[[str], None],
) -> ResourceUsage:
    """What cannot be measured is said in the report and does not fail the run: an objective may."""
    target = record.target
    requests = {host: one.requests for host, one in summary.arm(Arm.HEAD).hosts.items()}
    try:
        usage = monitoring.measure(target, load_run.window, requests, edges=edges, kubectl=kubectl, say=say)
    except LoadTestError as error:
        usage = _no_resources(target, load_run, error.message)
    outside_s = 0.0 if record.plan.locust_workers else load_run.generator.cpu_s
    return replace(usage, machine=machine_use(edges, span_of(load_run.window), generator_cpu_s=outside_s))


def _no_resources(target: TargetEnvironment, load_run: LoadRun, why: str) -> ResourceUsage:
    return ResourceUsage(
        window=load_run.window,
        scrape_interval_s=target.monitoring.scrape_interval_s,
        scopes=(),
        problems=(why,),
    )


def _versions(target: TargetEnvironment, edges: Edges, kubectl: Kubectl) -> Versions:
    return read_versions(
        kubectl,
        edges.pods,
        kind_cluster=target.cluster.name if readable(target.cluster) else None,
        namespaces={target.ingress.namespace, *(app.namespace for app in target.apps)},
    )


def _report(
    record: RunRecord,
    load_run: LoadRun,
    samples: pa.Table,
    summary: Summary,
    usage: ResourceUsage,
    deeds: Sequence[Deed],
    timings: Sequence[StageTiming],
) -> Report:
    target, plan = record.target, record.plan
    chaos = effects.outcomes(deeds, samples, load_run.window)
    validity = validity_of(plan, load_run, summary, target.validity, chaos)
    return Report(
        schema_version=SCHEMA_VERSION,
        run=record.run,
        machine=record.machine,
        versions=record.versions,
        fingerprint=fingerprint(
            record.machine, record.versions, plan, ingress_namespace=target.ingress.namespace
        ),
        cluster=target.cluster,
        ingress=target.ingress,
        apps=target.apps,
        plan=plan,
        window=load_run.window,
        generator=load_run.generator,
        summary=summary,
        curves=trace(samples, summary, load_run.generator),
        resources=usage,
        chaos=chaos,
        validity=validity,
        verdict=slo.evaluate(target.slo, summary, usage, validity),
        # What comes after a report is in timings.json alone: a report made again is the same.
        timings=tuple(takewhile(lambda one: one.stage != REPORT_STAGE, timings)),
    )
