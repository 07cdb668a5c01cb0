"""The warm pipeline beside its floor: making and deleting a KinD cluster of the same config.

Beside both, `untuned`: the same cluster with kubeadm as kind sets it up, which says how much of the floor is
the config's own doing. The three alternate, each as often first as the others, so that a noisy neighbour
meets all and none always comes after the same one; each waits until the machine has put the last one's
cluster away. Prints seconds per stage, medians and the ratios.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from infra.clusters.kind_config import kind_config
from infra.paths import ROOT
from infra.stack import cluster_args
from infra.stack_file import settings_of

Timings = dict[str, float]  # seconds by stage, and "total"

_FLOOR_CLUSTER = "loadproof-bench-floor"
# After a cluster is gone the kernel still takes its namespaces and mounts apart.
_SETTLING_S = 5.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.pipeline", description=__doc__)
    parser.add_argument("--stack", default="ci", help="stack to run (default: %(default)s)")
    parser.add_argument(
        "--rounds", type=int, default=3, help="how often each is timed (default: %(default)s)"
    )
    options = parser.parse_args()
    config = _kind_config(options.stack)
    untuned = {name: value for name, value in config.items() if name != "kubeadmConfigPatches"}
    arms: Mapping[str, Callable[[], Timings]] = {
        "floor": lambda: _floor(config),
        "untuned": lambda: _floor(untuned),
        "pipeline": lambda: _pipeline(options.stack),
    }
    rounds: dict[str, list[Timings]] = {name: [] for name in arms}
    for number in range(1, options.rounds + 1):
        for name in _rotated(list(arms), number):
            time.sleep(_SETTLING_S)
            rounds[name].append(arms[name]())
        totals = ", ".join(f"{name} {timings[-1]['total']:.1f} s" for name, timings in rounds.items())
        print(f"round {number}: {totals}", flush=True)
    for name, timings in rounds.items():
        _print_stages(name, timings)
    for floor in ("floor", "untuned"):
        _print_ratio(floor, rounds)
    return 0


def _rotated(names: list[str], by: int) -> list[str]:
    first = by % len(names)
    return names[first:] + names[:first]


def _kind_config(stack: str) -> Mapping[str, Any]:
    """The kind config the stack would use, from the program's own settings."""
    return kind_config(cluster_args(settings_of(ROOT / f"Pulumi.{stack}.yaml")))


def _floor(config: Mapping[str, Any]) -> Timings:
    with tempfile.TemporaryDirectory() as folder:
        kubeconfig = Path(folder, "kubeconfig")
        create = ("kind", "create", "cluster", "--name", _FLOOR_CLUSTER, "--kubeconfig", str(kubeconfig))
        # The program's own way to delete: plain kind now and then fails for good on a node that died frozen.
        delete = (
            *("env", f"CLUSTER_NAME={_FLOOR_CLUSTER}", f"KUBECONFIG_PATH={kubeconfig}"),
            *("python3", "infra/clusters/kind_command.py", "delete"),
        )
        try:
            create_s = _seconds(lambda: _quiet((*create, "--config", "-"), stdin=json.dumps(config)))
        finally:  # also where it was cut off: its ports are the stack's
            delete_s = _seconds(lambda: _quiet(delete))
    return {"create": create_s, "delete": delete_s, "total": create_s + delete_s}


def _pipeline(stack: str) -> Timings:
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


def _print_stages(name: str, timings: Sequence[Timings]) -> None:
    print(f"\n{name}: median and range of {len(timings)} rounds, in seconds")
    for stage in timings[0]:
        values_s = [one[stage] for one in timings]
        middle_s, low_s, high_s = statistics.median(values_s), min(values_s), max(values_s)
        print(f"  {stage:<8} {middle_s:6.1f}   {low_s:.1f} to {high_s:.1f}")


def _print_ratio(floor: str, rounds: Mapping[str, Sequence[Timings]]) -> None:
    pairs = zip(rounds["pipeline"], rounds[floor], strict=True)
    ratios = [whole["total"] / part["total"] for whole, part in pairs]
    middle, low, high = statistics.median(ratios), min(ratios), max(ratios)
    print(f"\nratio pipeline to {floor}: median {middle:.2f}, {low:.2f} to {high:.2f}")


if __name__ == "__main__":
    sys.exit(main())
