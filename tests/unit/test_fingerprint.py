"""What makes two runs comparable, and what does not."""

from dataclasses import replace

import pytest

from loadtest.fingerprint import fingerprint
from loadtest.machine import Machine
from loadtest.plan import ClosedLoop, LoadPlan
from loadtest.versions import NodeVersions, RunningImage, Versions

MACHINE = Machine(cpu_model="Example", cpu_count=2, memory_bytes=25_000_000_000, kernel="Linux 6.1.0")
NODES = tuple(
    NodeVersions(
        name=name,
        kubelet="v1.34.4",
        container_runtime="containerd://1.7",
        kernel="6.1.0",
        image="node:1",
        image_id=image_id,
    )
    for name, image_id in (("control-plane", "sha256:a"), ("worker", "sha256:b"))
)
INGRESS = RunningImage(namespace="ingress", image="nginx:1", image_id="sha256:c")
APP = RunningImage(namespace="apps", image="echo:1", image_id="sha256:d")
VERSIONS = Versions(engine="26.1", nodes=NODES, images=(APP, INGRESS))
PLAN = LoadPlan(
    engine="builtin",
    profile=ClosedLoop(requests=200, concurrency=20),
    timeout_s=10,
    warm_up_retries=2,
    seed=1,
)


def mark(machine: Machine = MACHINE, versions: Versions = VERSIONS, plan: LoadPlan = PLAN) -> str:
    return fingerprint(machine, versions, plan, ingress_namespace="ingress")


def test_a_fingerprint_is_short_and_the_same_every_time() -> None:
    assert mark() == mark()
    assert len(mark()) == 12


@pytest.mark.parametrize(
    "other",
    [
        mark(machine=replace(MACHINE, cpu_model="Other")),
        mark(machine=replace(MACHINE, cpu_count=4)),
        mark(machine=replace(MACHINE, memory_bytes=50_000_000_000)),
        mark(machine=replace(MACHINE, kernel="Linux 6.2.0")),
        mark(versions=replace(VERSIONS, engine="27.0")),
        mark(versions=replace(VERSIONS, nodes=NODES[:1])),
        mark(versions=replace(VERSIONS, nodes=(NODES[0], replace(NODES[1], kubelet="v1.35.0")))),
        mark(versions=replace(VERSIONS, nodes=(NODES[0], replace(NODES[1], image_id="sha256:e")))),
        mark(versions=replace(VERSIONS, images=(APP, replace(INGRESS, image_id="sha256:e")))),
        mark(plan=replace(PLAN, timeout_s=5)),
    ],
)
def test_what_is_not_comparable_has_another(other: str) -> None:
    assert other != mark()


@pytest.mark.parametrize(
    "same",
    [
        mark(versions=replace(VERSIONS, images=(replace(APP, image_id="sha256:e"), INGRESS))),
        mark(versions=replace(VERSIONS, nodes=NODES[::-1])),
        mark(versions=replace(VERSIONS, nodes=tuple(replace(one, name=f"pr-{one.name}") for one in NODES))),
        mark(machine=replace(MACHINE, memory_bytes=25_000_100_000)),
        mark(plan=replace(PLAN, seed=2)),
    ],
)
def test_what_is_to_be_compared_has_the_same(same: str) -> None:
    assert same == mark()
