"""The report made again from what a run left: of a whole run every figure, of a killed one what was kept."""

import json
import subprocess
import sys
import time
from dataclasses import replace
from math import comb
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pytest

from loadtest import measurement, records, sample_store
from loadtest.artifacts import Artifacts
from loadtest.errors import InconclusiveError
from loadtest.load_options import LoadOptions
from loadtest.load_run import Generator, LoadRun
from loadtest.records import RunRecord
from loadtest.report import json_format
from loadtest.report.model import Report
from loadtest.report.timings import Timings
from loadtest.sample import Arm, ErrorClass, Sample
from tests.integration.engines.conformance.server import Behaviour, serving
from tests.integration.engines.targets import target_at
from tests.integration.pipeline.conftest import PROJECT
from tests.unit.report import values

HOSTS = ("foo.localhost", "bar.localhost")
LOAD_RUN = LoadRun(
    window=values.WINDOW,
    generator=Generator(engine="builtin", cpu_s=0.1, connections_opened=9, planned_rps=100.0),
)


def samples_of_a_run() -> list[Sample]:
    """Errors, opened connections and a long tail among them; enough for a p99 of all, not of each host."""
    chance = Random(3)
    return [one_sample(chance, number * 10_000_000) for number in range(1_500)]


def one_sample(chance: Random, intended_ns: int) -> Sample:
    connect_ns = chance.choice([0, 0, 0, 0, chance.randrange(1, 300_000)])
    first_byte_ns = connect_ns + int(chance.lognormvariate(14, 1))
    return Sample(
        arm=Arm.HEAD,
        round=1,
        host=chance.choice(HOSTS),
        intended_start_ns=intended_ns,
        actual_start_ns=intended_ns + chance.randrange(200_000),
        latency_ns=first_byte_ns + chance.randrange(50_000),
        status=200,
        body_bytes=4,
        error=chance.choice([None] * 30 + [ErrorClass.WRONG_BODY, ErrorClass.HTTP_5XX]),
        connect_ns=connect_ns,
        first_byte_ns=first_byte_ns,
    )


@pytest.fixture
def artifacts(tmp_path: Path) -> Artifacts:
    """As a run leaves them."""
    artifacts = Artifacts(root=tmp_path)
    target, plan = target_at(80, dict.fromkeys(HOSTS, b"body")), LoadOptions(requests=1_500).plan()
    record = RunRecord(run=values.RUN, machine=values.MACHINE, target=target, plan=plan)
    records.save(record, artifacts.run)
    records.save(values.RESOURCES, artifacts.resources)
    records.save(Timings(total_s=1.0, stages=values.TIMINGS), artifacts.timings)
    with sample_store.writer(artifacts.samples) as writer:
        for sample in samples_of_a_run():
            writer.append(sample)
        writer.finish(LOAD_RUN)
    return artifacts


def percentile_ms(times_ns: pd.Series, percent: int) -> float:
    return float(np.quantile(times_ns, percent / 100, method="inverted_cdf")) / 1e6


def interval(times_ns: pd.Series, percent: int) -> dict[str, float] | None:
    """By the binomial distribution in whole numbers: chances are parts of 100 to the power of the count."""
    count, ordered = len(times_ns), np.sort(times_ns)

    def quantile(per_mille: int) -> int:
        not_more = successes = 0
        while not_more * 1_000 < per_mille * 100**count:
            not_more += comb(count, successes) * percent**successes * (100 - percent) ** (count - successes)
            successes += 1
        return successes - 1

    low, high = quantile(25), quantile(975) + 1
    if low < 1 or high > count:
        return None
    return {"low_ms": ordered[low - 1] / 1e6, "high_ms": ordered[high - 1] / 1e6}


def latency(times_ns: pd.Series) -> dict[str, Any]:
    shown = {percent: percent != 99 or len(times_ns) >= 1_000 for percent in (50, 90, 95, 99)}
    return {
        "samples": len(times_ns),
        "average_ms": sum(times_ns.tolist()) / len(times_ns) / 1e6,
        "minimum_ms": times_ns.min() / 1e6,
        "maximum_ms": times_ns.max() / 1e6,
        **{f"p{one}_ms": percentile_ms(times_ns, one) if shown[one] else None for one in shown},
        **{f"p{one}_interval": interval(times_ns, one) if shown[one] else None for one in shown},
    }


def spread(times_ns: pd.Series) -> dict[str, Any]:
    return {
        "samples": len(times_ns),
        "p50_ms": percentile_ms(times_ns, 50),
        "p90_ms": percentile_ms(times_ns, 90),
        "p99_ms": percentile_ms(times_ns, 99) if len(times_ns) >= 1_000 else None,
        "maximum_ms": times_ns.max() / 1e6,
    }


def figures(samples: pd.DataFrame, duration_s: float) -> dict[str, Any]:
    """Of one host, or of all: what docs/samples.md and docs/artifacts.md say, word for word."""
    right, errors = samples[samples.error.isna()], samples.error.value_counts()
    return {
        "requests": len(samples),
        "succeeded": len(right),
        "success_ratio": len(right) / len(samples),
        "http_errors": errors.get("http_5xx", 0),
        "timeouts": 0,
        "connection_errors": 0,
        "wrong_bodies": errors.get("wrong_body", 0),
        "errors": errors.to_dict(),
        "achieved_rps": len(samples) / duration_s,
        "latency": latency(right.latency_ns),
        "latency_from_intended_start": latency(
            right.actual_start_ns + right.latency_ns - right.intended_start_ns
        ),
        "latency_parts": {
            "connect": spread(right.connect_ns[right.connect_ns > 0]),
            "first_byte": spread(right.first_byte_ns - right.connect_ns),
            "transfer": spread(right.latency_ns - right.first_byte_ns),
        },
        "schedule_delay": spread(samples.actual_start_ns - samples.intended_start_ns),
    }


def test_every_figure_of_the_load_comes_out_of_the_samples_by_other_means_as_well(
    artifacts: Artifacts,
) -> None:
    [arm] = json.loads(json_format.render(measurement.report_from(artifacts)))["summary"]["arms"]
    samples = pd.read_parquet(artifacts.samples)
    duration_s = values.WINDOW.duration_s
    assert figures(samples, duration_s) == arm["combined"]
    assert set(HOSTS) == set(arm["hosts"])
    for host in HOSTS:
        assert figures(samples[samples.host == host], duration_s) == arm["hosts"][host]


def test_a_report_made_again_is_the_same(artifacts: Artifacts) -> None:
    assert measurement.report_from(artifacts) == measurement.report_from(artifacts)


def test_a_run_killed_before_its_resources_were_measured_has_a_report_that_says_so(
    artifacts: Artifacts,
) -> None:
    artifacts.resources.unlink()
    artifacts.timings.unlink()
    report = measurement.report_from(artifacts)
    assert isinstance(report, Report)
    assert report.resources is not None
    assert ("the run ended before they were measured",) == report.resources.problems
    assert 1_500 == report.summary.arm(Arm.HEAD).combined.requests


def test_resources_of_another_run_are_refused(artifacts: Artifacts) -> None:
    other = replace(values.RESOURCES, window=replace(values.WINDOW, started_unix_ns=1))
    records.save(other, artifacts.resources)
    with pytest.raises(InconclusiveError, match="another window"):
        measurement.report_from(artifacts)


def killed_in_mid_load(root: Path) -> None:
    """A load of real requests whose process is killed once two parts of its samples are on the disk."""
    driver = (sys.executable, "-m", "tests.integration.pipeline.load_driver", str(root))
    with serving({HOSTS[0]: Behaviour(body="body", latency_s=0.002)}) as server:
        command = (*driver, HOSTS[0], "body", str(server.port))
        with subprocess.Popen(command, cwd=PROJECT) as load:
            until_s = time.monotonic() + 30
            while len(list((root / "samples").glob("part-*"))) < 2 and time.monotonic() < until_s:
                assert load.poll() is None
                time.sleep(0.05)
            load.kill()


def test_a_run_killed_in_mid_load_gets_a_report_of_what_was_kept(tmp_path: Path) -> None:
    killed_in_mid_load(tmp_path)
    again = subprocess.run(
        (sys.executable, "-m", "loadtest", "report", "--artifacts", str(tmp_path)),
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert 6 == again.returncode, again.stderr
    samples = pd.read_parquet(tmp_path / "samples")
    assert f"the load was cut short: {len(samples):,} of 500,000 planned requests" in again.stdout
    report = json.loads((tmp_path / "report.json").read_text())
    assert ("failed", "load", 6) == (report["kind"], report["stage"], report["exit_code"])
    combined = report["summary"]["arms"][0]["combined"]
    assert len(samples) == combined["requests"] > 100
    assert percentile_ms(samples.latency_ns, 95) == combined["latency"]["p95_ms"]
    ended_s = (samples.actual_start_ns + samples.latency_ns).max() / 1e9
    assert ended_s == report["summary"]["duration_s"]
    assert "Cut short" in (tmp_path / "report.md").read_text()
    assert "Cut short" in (tmp_path / "comment.md").read_text()


def test_a_run_killed_before_its_first_sample_was_kept_has_nothing_to_report(artifacts: Artifacts) -> None:
    for file in artifacts.samples.iterdir():
        file.unlink()
    with pytest.raises(InconclusiveError, match="before its first sample"):
        measurement.report_from(artifacts)
