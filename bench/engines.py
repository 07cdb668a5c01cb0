"""Every engine beside the others: throughput, CPU per request, and how far its latencies are from the truth.

In a closed loop against a server that answers at once; in open loops against nginx, where every tenth of a
millisecond is the generator's; and against a server that takes known times. An engine without an open loop
comes to about the rate by as many clients as it takes. Engines take turns, round by round, each run in a
process of its own; figures are medians of the rounds. aiohttp is there for comparison. Prints tables in
Markdown. Leaves out clusters.
"""

import argparse
import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from math import ceil

import aiohttp
import uvloop

from bench.loopback import BODY, HOST, SPAWN, Delays, Loopback, loopback
from bench.nginx import nginx
from loadtest.engines import ENGINES, engine_for
from loadtest.load_options import LoadOptions
from loadtest.plan import PROFILES
from loadtest.sample import Sample
from loadtest.stats.percentiles import nearest_rank
from tests.integration.engines.targets import target_at

_CONNECTIONS = 20
_RATES_RPS = (300, 1_000, 3_000)
_DELAYS = Delays(usual_s=0.005, slow_s=0.05, slow_ratio=0.02)
_DELAYS_RPS = 300
# Whether they come out again; the last is one that a mean would not show.
_KNOWN_DELAYS = (
    *(Delays(usual_s=usual_s, slow_s=usual_s, slow_ratio=0.0) for usual_s in (0.001, 0.005, 0.02, 0.1)),
    Delays(usual_s=0.005, slow_s=0.25, slow_ratio=0.01),
)
_KNOWN_DELAYS_RPS = 1_000
_USER_WAIT_S = 0.1


@dataclass(frozen=True, kw_only=True)
class Result:
    """What an engine measured; `started_unix_ns` is where its window began."""

    requests: int
    rate_rps: float
    cpu_us: float  # of the generator, per request
    p50_ms: float
    p99_ms: float
    started_unix_ns: int
    delay_p99_ms: float | None = None  # how late requests were sent; None where the engine does not tell
    dropped: int = 0  # requests that were due and never sent


@dataclass(frozen=True, kw_only=True)
class Row:
    """One run, with how far its percentiles are from what the server knows, where it knows."""

    result: Result
    p50_error_ms: float | None = None
    p99_error_ms: float | None = None


def engine_run(options: LoadOptions, port: int) -> Result:
    samples: list[Sample] = []
    plan = options.plan()
    load_run = engine_for(plan).run(plan, target_at(port, {HOST: BODY}), samples.append, lambda: None)
    if errors := Counter(sample.error for sample in samples if sample.error):
        raise RuntimeError(f"{options.engine}: not every request was answered rightly, {errors}")
    delays_ns = sorted(sample.actual_start_ns - sample.intended_start_ns for sample in samples)
    tells_delay = load_run.generator.tells_intended_start
    return replace(
        _result(
            [sample.latency_ns for sample in samples],
            load_run.window.duration_s,
            load_run.generator.cpu_s,
            load_run.window.started_unix_ns,
        ),
        delay_p99_ms=nearest_rank(delays_ns, 99) / 1e6 if tells_delay else None,
        dropped=load_run.generator.dropped_requests,
    )


def aiohttp_run(options: LoadOptions, port: int) -> Result:
    """A closed loop by aiohttp, which is no engine here."""
    return uvloop.run(_aiohttp(options, port))


async def _aiohttp(options: LoadOptions, port: int) -> Result:
    latencies_ns: list[int] = []
    todo = iter(range(options.requests))
    connector = aiohttp.TCPConnector(limit=options.concurrency)
    async with aiohttp.ClientSession(connector=connector, headers={"Host": HOST}) as session:

        async def send() -> None:
            async with session.get(f"http://127.0.0.1:{port}/") as answer:
                if (await answer.read()).strip() != BODY:
                    raise RuntimeError("aiohttp: not every request was answered rightly")

        async def client() -> None:
            for _ in todo:
                sent_ns = time.perf_counter_ns()
                await send()
                latencies_ns.append(time.perf_counter_ns() - sent_ns)

        await asyncio.gather(*(send() for _ in range(options.concurrency)))
        started_unix_ns, started_s, cpu_started_s = time.time_ns(), time.perf_counter(), time.thread_time()
        await asyncio.gather(*(client() for _ in range(options.concurrency)))
        duration_s, cpu_s = time.perf_counter() - started_s, time.thread_time() - cpu_started_s
    return _result(latencies_ns, duration_s, cpu_s, started_unix_ns)


def _result(latencies_ns: Sequence[int], duration_s: float, cpu_s: float, started_unix_ns: int) -> Result:
    ordered_ns = sorted(latencies_ns)
    return Result(
        requests=len(ordered_ns),
        rate_rps=len(ordered_ns) / duration_s,
        cpu_us=cpu_s / len(ordered_ns) * 1e6,
        p50_ms=nearest_rank(ordered_ns, 50) / 1e6,
        p99_ms=nearest_rank(ordered_ns, 99) / 1e6,
        started_unix_ns=started_unix_ns,
    )


Load = tuple[Callable[[LoadOptions, int], Result], LoadOptions]

# Requests a second that each sends about, so that all take about as long.
_EXPECTED_RPS = {"builtin": 20_000, "httpx": 500, "k6": 5_000}


def throughput_loads(duration_s: float) -> Mapping[str, Load]:
    """Closed loops of as many connections each; users who never wait are one as well."""
    loads: dict[str, Load] = {}
    for engine, row in ENGINES.items():
        if PROFILES["closed"] in row.profiles:
            requests = int(_EXPECTED_RPS.get(engine, 1_000) * duration_s)
            options = LoadOptions(engine=engine, requests=requests, concurrency=_CONNECTIONS)
            loads[engine] = (engine_run, options)
        elif PROFILES["users"] in row.profiles:
            loads[engine] = (engine_run, _users(engine, _CONNECTIONS, 0.0, duration_s))
    aiohttp_requests = int(10_000 * duration_s)
    loads["aiohttp"] = (aiohttp_run, LoadOptions(requests=aiohttp_requests, concurrency=_CONNECTIONS))
    return loads


def rate_loads(rate_rps: int, duration_s: float) -> Mapping[str, Load]:
    return {engine: (engine_run, _at_rate(engine, rate_rps, duration_s)) for engine in ENGINES}


def open_loads(rate_rps: int, duration_s: float) -> Mapping[str, Load]:
    """Of the engines that have open loops."""
    able = (engine for engine, row in ENGINES.items() if PROFILES["constant_rate"] in row.profiles)
    return {engine: (engine_run, _at_rate(engine, rate_rps, duration_s)) for engine in able}


def _at_rate(engine: str, rate_rps: int, duration_s: float) -> LoadOptions:
    profiles = ENGINES[engine].profiles
    usual, slow = 1 - _DELAYS.slow_ratio, _DELAYS.slow_ratio
    answer_s = usual * _DELAYS.usual_s + slow * _DELAYS.slow_s
    if PROFILES["constant_rate"] in profiles:
        return LoadOptions(engine=engine, profile="constant_rate", rate_rps=rate_rps, duration_s=duration_s)
    if PROFILES["closed"] in profiles:
        clients = ceil(rate_rps * answer_s)
        return LoadOptions(engine=engine, requests=int(rate_rps * duration_s), concurrency=clients)
    return _users(engine, ceil(rate_rps * (answer_s + _USER_WAIT_S)), _USER_WAIT_S, duration_s)


def _users(engine: str, users: int, wait_s: float, duration_s: float) -> LoadOptions:
    return LoadOptions(
        engine=engine,
        profile="users",
        users=users,
        spawn_rate_per_s=1_000,
        wait_min_s=wait_s,
        wait_max_s=wait_s,
        duration_s=duration_s,
    )


def compare(port: int, loads: Mapping[str, Load], rounds: int) -> dict[str, list[Row]]:
    rows: dict[str, list[Row]] = {name: [] for name in loads}
    for _ in range(rounds):
        for name, (run, options) in loads.items():
            rows[name].append(Row(result=_apart(run, options, port)))
    return rows


def compare_with_truth(server: Loopback, loads: Mapping[str, Load], rounds: int) -> dict[str, list[Row]]:
    rows: dict[str, list[Row]] = {name: [] for name in loads}
    for _ in range(rounds):
        for name, (run, options) in loads.items():
            server.served()
            rows[name].append(_row(_apart(run, options, server.port), server))
    return rows


def _apart(run: Callable[[LoadOptions, int], Result], options: LoadOptions, port: int) -> Result:
    with ProcessPoolExecutor(1, mp_context=SPAWN) as pool:
        return pool.submit(run, options, port).result()


def _row(result: Result, server: Loopback) -> Row:
    took_ns = sorted(one.took_ns for one in server.served() if one.arrived_unix_ns >= result.started_unix_ns)
    return Row(
        result=result,
        p50_error_ms=result.p50_ms - nearest_rank(took_ns, 50) / 1e6,
        p99_error_ms=result.p99_ms - nearest_rank(took_ns, 99) / 1e6,
    )


def table(
    columns: Sequence[str], rows: Mapping[str, Sequence[Row]], *, figures: Sequence[str]
) -> Iterator[str]:
    yield "| " + " | ".join(("", *columns)) + " |"
    yield "| --- |" + " --: |" * len(columns)
    for name, runs in rows.items():
        medians = (_median(_figure(run, figure) for run in runs) for figure in figures)
        yield f"| {name} | {' | '.join(medians)} |"


def _figure(row: Row, name: str) -> float | None:
    value: float | None = getattr(row if hasattr(row, name) else row.result, name)
    return value


def _median(values: Iterable[float | None]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "not told"
    median = statistics.median(known)
    return f"{median:,.0f}" if median >= 100 else f"{median:.3g}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.engines", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often each has its turn [%(default)s]")
    parser.add_argument(
        "--duration", type=float, default=3.0, help="seconds of each run, about [%(default)s]"
    )
    options = parser.parse_args()
    _print_throughput(options.rounds, options.duration)
    _print_rates(options.rounds, options.duration)
    _print_known_delays(options.rounds, options.duration)
    _print_errors(options.rounds, options.duration)


def _print_throughput(rounds: int, duration_s: float) -> None:
    print(f"\nClosed loop, {_CONNECTIONS} connections, answers at once:\n")
    with loopback() as server:
        rows = compare(server.port, throughput_loads(duration_s), rounds)
    columns = ("req/s", "CPU µs/request", "p50 ms", "p99 ms")
    print("\n".join(table(columns, rows, figures=("rate_rps", "cpu_us", "p50_ms", "p99_ms"))))


def _print_rates(rounds: int, duration_s: float) -> None:
    columns = ("req/s", "CPU µs/request", "p50 ms", "p99 ms", "sent late, p99 ms", "dropped")
    figures = ("rate_rps", "cpu_us", "p50_ms", "p99_ms", "delay_p99_ms", "dropped")
    with nginx() as port:
        for rate_rps in _RATES_RPS:
            print(f"\nOpen loop, {rate_rps:,} requests a second, nginx:\n")
            rows = compare(port, open_loads(rate_rps, duration_s), rounds)
            print("\n".join(table(columns, rows, figures=figures)), flush=True)


def _print_known_delays(rounds: int, duration_s: float) -> None:
    rows: dict[str, list[Row]] = {}
    for delays in _KNOWN_DELAYS:
        with loopback(delays) as server:
            found = compare_with_truth(server, open_loads(_KNOWN_DELAYS_RPS, duration_s), rounds)
        rows |= {f"{delays}, {engine}": runs for engine, runs in found.items()}
    print(f"\nOpen loop, {_KNOWN_DELAYS_RPS:,} requests a second, answers that take known times:\n")
    columns = ("p50 ms", "p99 ms", "p50 error ms", "p99 error ms")
    print("\n".join(table(columns, rows, figures=("p50_ms", "p99_ms", "p50_error_ms", "p99_error_ms"))))


def _print_errors(rounds: int, duration_s: float) -> None:
    print(f"\nAbout {_DELAYS_RPS:,} requests a second, answers that take {_DELAYS}:\n")
    with loopback(_DELAYS) as server:
        rows = compare_with_truth(server, rate_loads(_DELAYS_RPS, duration_s), rounds)
    columns = ("req/s", "CPU µs/request", "p50 error ms", "p99 error ms")
    print("\n".join(table(columns, rows, figures=("rate_rps", "cpu_us", "p50_error_ms", "p99_error_ms"))))


if __name__ == "__main__":
    main()
