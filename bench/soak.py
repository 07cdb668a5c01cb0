"""The built-in engine for a long time at a constant rate: does its memory grow?

Samples are written as in a real run. Memory is that of this process and of those that send, looked at again
and again; it has grown where the last quarter's median is well above the second quarter's. Prints a line for
each look and ends with exit code 1 on growth. Leaves out clusters.
"""

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from bench.loopback import BODY, HOST, loopback
from loadtest import sample_store
from loadtest.engines import engine_for
from loadtest.load_options import LoadOptions
from tests.integration.engines.targets import target_at

_LOOKS = 60
# What allocators keep for a while, and growth that would matter in a day.
_MAY_GROW_RATIO, _MAY_GROW_MIB = 0.05, 4.0


@contextmanager
def watched_memory(every_s: float, *, besides: set[int]) -> Iterator[list[float]]:
    """MiB of this process and its children, `besides` left out, as it goes on within."""
    looks: list[float] = []
    over = threading.Event()

    def look() -> None:
        started_s = time.monotonic()
        while not over.wait(every_s):
            looks.append(_resident_mib(besides))
            print(f"{time.monotonic() - started_s:7.0f} s {looks[-1]:8.1f} MiB", flush=True)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield looks
    finally:
        over.set()
        thread.join()


def _resident_mib(besides: set[int]) -> float:
    here = psutil.Process()
    ours = (one for one in [here, *here.children()] if one.pid not in besides)
    return float(sum(one.memory_info().rss for one in ours)) / 2**20


def growth_mib(looks: Sequence[float]) -> float:
    quarter = len(looks) // 4
    return statistics.median(looks[-quarter:]) - statistics.median(looks[quarter : 2 * quarter])


def soak(rate_rps: float, duration_s: float, port: int, besides: set[int]) -> Sequence[float]:
    plan = LoadOptions(profile="constant_rate", rate_rps=rate_rps, duration_s=duration_s).plan()
    with (
        tempfile.TemporaryDirectory(prefix="loadproof-soak-") as folder,
        sample_store.writer(Path(folder)) as writer,
        watched_memory(duration_s / _LOOKS, besides=besides) as looks,
    ):
        load_run = engine_for(plan).run(plan, target_at(port, {HOST: BODY}), writer.append, lambda: None)
        writer.finish(load_run)
    generator = load_run.generator
    print(
        f"{plan.profile.planned_requests:,} requests planned, {generator.dropped_requests:,} dropped, "
        f"{generator.cpu_s / load_run.window.duration_s:.3f} cores, {generator.gc_pauses}"
    )
    return looks


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="how long [%(default)g]")
    parser.add_argument("--rate", type=float, default=1_000.0, help="requests a second [%(default)g]")
    options = parser.parse_args()
    others = {child.pid for child in psutil.Process().children()}
    with loopback() as server:
        server_pids = {child.pid for child in psutil.Process().children()} - others
        looks = soak(options.rate, options.minutes * 60, server.port, server_pids)
    grown_mib = growth_mib(looks)
    limit_mib = _MAY_GROW_MIB + _MAY_GROW_RATIO * looks[len(looks) // 4]
    print(f"grown by {grown_mib:.1f} MiB, at most {limit_mib:.1f} MiB may be")
    return 0 if grown_mib <= limit_mib else 1


if __name__ == "__main__":
    sys.exit(main())
