"""The warm pipeline beside its floor: what a bare KinD cluster of the same shape costs to make and to delete.

Alternates the two, so that a noisy neighbour meets both. Prints seconds per stage, medians and the ratio.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from infra.check import settings_of
from infra.clusters.kind_config import kind_config
from infra.paths import ROOT
from infra.stack import cluster_args

_FLOOR_CLUSTER = "loadproof-bench-floor"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.pipeline", description=__doc__)
    parser.add_argument("--stack", default="ci", help="stack to run (default: %(default)s)")
    parser.add_argument(
        "--rounds", type=int, default=3, help="how often each is timed (default: %(default)s)"
    )
    options = parser.parse_args()
    kind_config = _kind_config(options.stack)
    rounds: dict[str, list[dict[str, float]]] = {"floor": [], "pipeline": []}
    for number in range(1, options.rounds + 1):
        rounds["floor"].append(_floor(kind_config))
        rounds["pipeline"].append(_pipeline(options.stack))
        print(f"round {number}: " + ", ".join(f"{k} {v[-1]['total']:.1f} s" for k, v in rounds.items()))
    _print(rounds)
    return 0


def _kind_config(stack: str) -> str:
    """The kind config the stack would use, from the program's own settings."""
    args = cluster_args(settings_of(ROOT / f"Pulumi.{stack}.yaml"))
    return json.dumps(kind_config(workers=args.workers, node_image=args.node_image, ports=args.ports))


def _floor(kind_config: str) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        kubeconfig = str(Path(folder, "kubeconfig"))
        name = ("--name", _FLOOR_CLUSTER, "--kubeconfig", kubeconfig)
        create_s = _seconds(
            lambda: _quiet(("kind", "create", "cluster", *name, "--config", "-"), stdin=kind_config)
        )
        delete_s = _seconds(lambda: _quiet(("kind", "delete", "cluster", *name)))
    return {"create": create_s, "delete": delete_s, "total": create_s + delete_s}


def _pipeline(stack: str) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        total_s = _seconds(
            lambda: _quiet(
                (sys.executable, "-m", "loadtest", "pipeline", "--stack", stack, "--artifacts", folder)
            )
        )
        stages = json.loads(Path(folder, "timings.json").read_text())["stages"]
    return {**{one["stage"]: one["duration_s"] for one in stages}, "total": total_s}


def _quiet(command: tuple[str, ...], stdin: str = "") -> None:
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, env=os.environ)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")


def _seconds(work: Callable[[], None]) -> float:
    started_s = time.perf_counter()
    work()
    return time.perf_counter() - started_s


def _print(rounds: dict[str, list[dict[str, float]]]) -> None:
    for what, timings in rounds.items():
        print(f"\n{what}: median and range of {len(timings)} rounds, in seconds")
        for stage in timings[0]:
            values = [one[stage] for one in timings]
            print(f"  {stage:<8} {statistics.median(values):6.1f}   {min(values):.1f} to {max(values):.1f}")
    ratios = [p["total"] / f["total"] for p, f in zip(rounds["pipeline"], rounds["floor"], strict=True)]
    middle, low, high = statistics.median(ratios), min(ratios), max(ratios)
    print(f"\nratio pipeline to floor: median {middle:.2f}, {low:.2f} to {high:.2f}")


if __name__ == "__main__":
    sys.exit(main())
