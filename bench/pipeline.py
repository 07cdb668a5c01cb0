"""The warm pipeline beside its floor: what a bare KinD cluster of the same shape costs to make and to delete.

Alternates the two, so that a noisy neighbour meets both. Prints seconds per stage, medians and the ratio.
"""

import argparse
import json
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
    config = _kind_config(options.stack)
    rounds: dict[str, list[dict[str, float]]] = {"floor": [], "pipeline": []}
    for number in range(1, options.rounds + 1):
        rounds["floor"].append(_floor(config))
        rounds["pipeline"].append(_pipeline(options.stack))
        totals = ", ".join(f"{name} {timings[-1]['total']:.1f} s" for name, timings in rounds.items())
        print(f"round {number}: {totals}", flush=True)
    _print(rounds)
    return 0


def _kind_config(stack: str) -> str:
    """The kind config the stack would use, from the program's own settings."""
    args = cluster_args(settings_of(ROOT / f"Pulumi.{stack}.yaml"))
    return json.dumps(kind_config(workers=args.workers, node_image=args.node_image, ports=args.ports))


def _floor(config: str) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        name = ("--name", _FLOOR_CLUSTER, "--kubeconfig", str(Path(folder, "kubeconfig")))
        try:
            create_s = _seconds(
                lambda: _quiet(("kind", "create", "cluster", *name, "--config", "-"), stdin=config)
            )
        finally:  # also where it was cut off: its ports are the stack's
            delete_s = _seconds(lambda: _quiet(("kind", "delete", "cluster", *name)))
    return {"create": create_s, "delete": delete_s, "total": create_s + delete_s}


def _pipeline(stack: str) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        command = (sys.executable, "-m", "loadtest", "pipeline", "--stack", stack, "--artifacts", folder)
        total_s = _seconds(lambda: _quiet(command))
        stages = json.loads(Path(folder, "timings.json").read_text())["stages"]
    return {**{one["stage"]: one["duration_s"] for one in stages}, "total": total_s}


def _quiet(command: tuple[str, ...], stdin: str = "") -> None:
    """Run a command that has to succeed. Interrupted, it is given the time to put its own things away."""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as child:
        try:
            said, _ = child.communicate(stdin)
        except KeyboardInterrupt:
            child.wait()
            raise
    if child.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {child.returncode}:\n{said}")


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
