"""What samples cost: of the engine's time as they come, of the disk, and of a report's time.

CPU time and not the clock's, so that a busy machine tells the same. The store's own thread, which encodes
beside the engine's, is not in what it costs to take one. Prints a table in Markdown. Leaves out engines: the
samples are made up, with random arrivals, latencies of a long tail and few errors.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random

from loadtest import sample_store
from loadtest.load_run import Generator, LoadRun
from loadtest.sample import Arm, ErrorClass, LoadWindow, Sample
from loadtest.stats.summarise import summarise

_HOSTS = ("bar.localhost", "foo.localhost")
_RATE_RPS = 1_000
_FAILED_RATIO = 0.001
_AT_ONCE = 10_000  # made before they are handed over, so that making them is not measured


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.samples", description=__doc__)
    parser.add_argument(
        "--samples", type=int, default=1_000_000, metavar="N", help="how many (default: %(default)s)"
    )
    count = parser.parse_args().samples
    with tempfile.TemporaryDirectory(prefix="loadproof-samples-") as name:
        folder = Path(name)
        append_s = _write(folder, count)
        size_bytes = sum(file.stat().st_size for file in folder.iterdir())
        started_s = time.process_time()
        samples, load_run = sample_store.read(folder)
        read_s = time.process_time() - started_s
        summarise(samples, load_run)
        summarise_s = time.process_time() - started_s - read_s
    print("| samples | CPU to take one | on the disk | CPU to read | CPU to sum up |")
    print("| --: | --: | --: | --: | --: |")
    print(
        f"| {count:,} | {append_s / count * 1e6:.2f} µs | {size_bytes / 1e6:.1f} MB "
        f"| {read_s:.2f} s | {summarise_s:.2f} s |"
    )
    return 0


def _write(folder: Path, count: int) -> float:
    """The CPU seconds that it took to hand them over."""
    append_s, samples = 0.0, _samples(count)
    with sample_store.writer(folder) as writer:
        while batch := list(islice(samples, _AT_ONCE)):
            started_s = time.thread_time()
            for sample in batch:
                writer.append(sample)
            append_s += time.thread_time() - started_s
        window = LoadWindow(started_unix_ns=0, ended_unix_ns=count * 10**9 // _RATE_RPS)
        generator = Generator(engine="builtin", cpu_s=0.0, connections_opened=0, planned_rps=_RATE_RPS)
        writer.finish(LoadRun(window=window, generator=generator))
    return append_s


def _samples(count: int) -> Iterator[Sample]:
    chance = Random(1)  # noqa: S311 - for figures that can be had again, no secret depends on it
    intended_ns = 0
    for _ in range(count):
        intended_ns += round(chance.expovariate(_RATE_RPS) * 1e9)
        first_byte_ns = round(chance.lognormvariate(14, 0.5))
        failed = chance.random() < _FAILED_RATIO
        yield Sample(
            arm=Arm.HEAD,
            round=1,
            host=chance.choice(_HOSTS),
            intended_start_ns=intended_ns,
            actual_start_ns=intended_ns + chance.randrange(100_000),
            latency_ns=first_byte_ns + chance.randrange(20_000),
            status=503 if failed else 200,
            body_bytes=4,
            error=ErrorClass.HTTP_5XX if failed else None,
            connect_ns=0,
            first_byte_ns=first_byte_ns,
        )


if __name__ == "__main__":
    raise SystemExit(main())
