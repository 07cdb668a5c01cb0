"""The engine itself: k6 is started with a plan's script or a user's own, read, and judged by how it ends.

Nothing of k6 leaves this machine but the load: no usage report, no extension is fetched, no port is opened,
and no settings that lie about change it. The stack's objectives judge a run, so thresholds of a script do
not. Once a kept connection ends before the first byte of an answer, k6 repeats a GET by itself, once.
"""

import json
import logging
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from loadtest.engines.child import Child
from loadtest.engines.exchange import request_to
from loadtest.engines.k6.job import clients_of, load_of
from loadtest.engines.k6.records import SYSTEM_TAGS, Records
from loadtest.engines.open_files import check_open_files
from loadtest.engines.warm_up import warm_up_hosts
from loadtest.engines.watching import End, watch
from loadtest.errors import InconclusiveError, LoadTestError, MachineError, UsageError
from loadtest.load_run import Generator, LoadRun
from loadtest.plan import ClosedLoop, ConstantRate, LoadPlan, RampingRate, Script
from loadtest.sample import Sample
from loadtest.target import TargetEnvironment

logger = logging.getLogger(__name__)

_SCRIPT = Path(__file__).with_name("load.js")
_WRITTEN_EVERY = "100ms"
_NOTE_CHARACTERS = 300
_FLAGS = (
    *("--quiet", "--no-color", "--no-usage-report", "--no-thresholds"),
    *("--summary-mode", "disabled", "--address", ""),
    *("--system-tags", ",".join(SYSTEM_TAGS), "--out", "csv=-"),
)


@dataclass(frozen=True, kw_only=True)
class K6Engine:
    """An interrupt ends k6 at once; what it had not yet written down, a tenth of a second's, is no sample."""

    warm_up_pause_s: float = 0.5

    def check(self, plan: LoadPlan) -> None:
        match plan.profile:
            case ClosedLoop(concurrency=concurrency):
                check_open_files(concurrency, f"a concurrency of {concurrency}")
            case ConstantRate() | RampingRate():
                most = clients_of(plan).most
                check_open_files(most, f"a rate that takes up to {most} clients")
            case Script(users=users) if users:
                check_open_files(users, f"{users} users")

    def run(
        self,
        plan: LoadPlan,
        target: TargetEnvironment,
        on_sample: Callable[[Sample], None],
        on_window: Callable[[], None],
    ) -> LoadRun:
        warm_up_hosts(plan, target, pause_s=self.warm_up_pause_s)
        records = Records(on_sample, closed=isinstance(plan.profile, ClosedLoop))
        reading = _Reading(records, on_window, own_warm_up=not isinstance(plan.profile, Script))
        with _job(plan, target) as (command, environment):
            end = watch(command, environment, reading.take, load_s=_load_s(plan))
        _check_end(plan, end)
        if not reading.requests and not end.interrupted:
            raise _nothing_sent(plan)
        return reading.load_run(plan, notes=_notes(end))


class _Reading:
    """Reads k6's records, and the CPU time that k6 and their reading take from the first of them on.

    `own_warm_up`: the first records are of the warm-up, which ends before the window begins.
    """

    def __init__(self, records: Records, on_window: Callable[[], None], *, own_warm_up: bool) -> None:
        self._records = records
        self._on_window = on_window
        self._own_warm_up = own_warm_up
        self._start_up_s = self._own_before_s = 0.0
        self._children_before_s = _children_cpu_s()

    def take(self, child: Child) -> None:
        self._records.take(self._lines(child))

    @property
    def requests(self) -> int:
        return self._records.requests

    def load_run(self, plan: LoadPlan, *, notes: tuple[str, ...]) -> LoadRun:
        """After k6's end."""
        open_loop = plan.profile if isinstance(plan.profile, ConstantRate | RampingRate) else None
        k6_s = _children_cpu_s() - self._children_before_s - self._start_up_s
        return LoadRun(
            window=self._records.window,
            generator=Generator(
                engine="k6",
                cpu_s=k6_s + time.thread_time() - self._own_before_s,
                cores_per_process=os.cpu_count() or 1,
                connections_opened=self._records.connections_opened,
                dropped_requests=self._records.dropped_requests,
                tells_intended_start=isinstance(plan.profile, ClosedLoop),
                planned_rps=open_loop.planned_rps if open_loop else None,
                notes=notes,
            ),
        )

    def _lines(self, child: Child) -> Iterator[bytes]:
        lines = child.lines()
        columns = next(lines, b"")  # their names, long before any request
        if columns and not self._own_warm_up:
            self._on_window()
        yield columns
        first = next(lines, b"")
        if first and self._own_warm_up:
            self._on_window()
        self._start_up_s, self._own_before_s = child.cpu_s(), time.thread_time()
        yield first
        yield from lines


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _load_s(plan: LoadPlan) -> float | None:
    match plan.profile:
        case ConstantRate(duration_s=duration_s) | RampingRate(duration_s=duration_s):
            return duration_s + plan.timeout_s
        case _:
            return None


@contextmanager
def _job(plan: LoadPlan, target: TargetEnvironment) -> Iterator[tuple[tuple[str, ...], Mapping[str, str]]]:
    """The command that carries the plan out, and its environment."""
    requests = [request_to(app) for app in target.apps]
    address = f"{target.ingress.address}:{target.ingress.port}"
    with tempfile.TemporaryDirectory(prefix="loadproof-k6-") as name:
        folder = Path(name)
        config = {"hosts": {one.host: address for one in requests}, "userAgent": "loadproof"}
        (folder / "config.json").write_text(json.dumps(config))
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("K6_")},
            "K6_AUTO_EXTENSION_RESOLUTION": "false",
            "K6_CSV_TIME_FORMAT": "unix_nano",
            "K6_CSV_SAVE_INTERVAL": _WRITTEN_EVERY,
            "NO_PROXY": "*",
        }
        command = ("k6", "run", *_FLAGS, "--config", str(folder / "config.json"))
        if isinstance(plan.profile, Script):
            apps = [
                {"name": app.name, "url": f"http://{app.host}{app.path}", "expected_body": app.expected_body}
                for app in target.apps
            ]
            yield (
                (*command, *_script_flags(plan.profile)),
                {**environment, "LOADPROOF_APPS": json.dumps(apps)},
            )
        else:
            (folder / "load.json").write_text(json.dumps(load_of(plan, requests, address)))
            yield (*command, str(_SCRIPT)), {**environment, "LOADPROOF_LOAD": str(folder / "load.json")}


def _script_flags(script: Script) -> Iterator[str]:
    if script.users is not None:
        yield from ("--vus", str(script.users))
    if script.duration_s is not None:
        yield from ("--duration", f"{script.duration_s}s")
    yield script.script


def _notes(end: End) -> tuple[str, ...]:
    """A script that raises goes on with its next iteration, and k6 ends as if all were well."""
    errors = [line for line in end.said.splitlines() if "level=error" in line]
    return (f"k6 reported errors, the last: {errors[-1][:_NOTE_CHARACTERS]}",) if errors else ()


def _check_end(plan: LoadPlan, end: End) -> None:
    if end.said:
        logger.info("k6 said", extra={"text": end.said})
    if end.interrupted or (end.exit_code == 0 and not end.overdue):
        return
    if isinstance(plan.profile, Script) and not end.overdue:
        raise UsageError(f"k6 with {plan.profile.script} {end.how}; it said last:", hint=end.said)
    raise MachineError(f"k6 {end.how} before the load was over; it said last:", hint=end.said)


def _nothing_sent(plan: LoadPlan) -> LoadTestError:
    if isinstance(plan.profile, Script):
        return UsageError(
            f"k6 with {plan.profile.script} sent no request",
            hint="Those of setup and teardown are not counted: does any scenario of it send one?",
        )
    return InconclusiveError("k6 sent no request", hint="What it said stands in the log of this run.")
