"""A short mark of all that makes two runs comparable: where they differ, so may the figures for that alone.

In it are the machine, the container engine, each node's versions and image, the ingress's images and the
plan. Not in it: the apps' images, as a change of these is what is to be judged; the plan's seed, which only
orders requests; and what was going on meanwhile, which differs from run to run.
"""

import hashlib
from typing import Any

import msgspec

from loadtest.machine import Machine
from loadtest.plan import LoadPlan
from loadtest.versions import Versions

_DIGITS = 12
_GIB = 2**30


def fingerprint(machine: Machine, versions: Versions, plan: LoadPlan, *, ingress_namespace: str) -> str:
    parts = facts(machine, versions, plan, ingress_namespace=ingress_namespace)
    return hashlib.sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()[:_DIGITS]


def facts(machine: Machine, versions: Versions, plan: LoadPlan, *, ingress_namespace: str) -> dict[str, Any]:
    """What the fingerprint is of, as JSON has it."""
    return {
        "machine": [machine.cpu_model, machine.cpu_count, machine.kernel],
        # A kernel keeps some of it for itself, not always the same.
        "memory_gib": round(machine.memory_bytes / _GIB),
        "engine": versions.engine,
        "nodes": sorted(
            [node.kubelet, node.container_runtime, node.kernel, node.image_id or ""]
            for node in versions.nodes
        ),
        "ingress": [one.image_id for one in versions.images if one.namespace == ingress_namespace],
        "plan": _without_seed(plan),
    }


def _without_seed(plan: LoadPlan) -> dict[str, Any]:
    built: dict[str, Any] = msgspec.to_builtins(plan)
    return {name: value for name, value in built.items() if name != "seed"}
