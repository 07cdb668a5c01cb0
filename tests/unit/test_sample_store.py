"""Samples on disk: what was added comes back exactly, a killed run's too, and damage is told."""

import errno
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from loadtest import sample_store
from loadtest.errors import InconclusiveError, MachineError, UsageError
from loadtest.load_run import Generator, LoadRun
from loadtest.sample import Arm, ErrorClass, LoadWindow, Sample
from tests.sample_tables import table_of

LOAD_RUN = LoadRun(
    window=LoadWindow(started_unix_ns=1_700_000_000_000_000_001, ended_unix_ns=1_700_000_001_000_000_002),
    generator=Generator(engine="builtin", cpu_s=0.125, connections_opened=20),
)
SAMPLE = Sample(
    arm=Arm.HEAD,
    round=1,
    host="foo.localhost",
    intended_start_ns=5,
    actual_start_ns=7,
    latency_ns=1_234_567,
    status=200,
    body_bytes=4,
    error=None,
)
INT64 = st.integers(-(2**63), 2**63 - 1)
SAMPLES = st.lists(
    st.builds(
        Sample,
        arm=st.sampled_from(Arm),
        round=st.integers(1, 2**31 - 1),
        host=st.text(st.characters(codec="utf-8"), max_size=20),
        intended_start_ns=INT64,
        actual_start_ns=INT64,
        latency_ns=INT64,
        status=st.none() | st.integers(100, 999),
        body_bytes=st.integers(0, 2**63 - 1),
        error=st.none() | st.sampled_from(ErrorClass),
        connect_ns=st.none() | st.integers(0, 2**63 - 1),
        first_byte_ns=st.none() | st.integers(0, 2**63 - 1),
    )
)


def write(folder: Path, samples: list[Sample]) -> None:
    with sample_store.writer(folder) as writer:
        for sample in samples:
            writer.append(sample)
        writer.finish(LOAD_RUN)


@settings(max_examples=25)
@given(samples=SAMPLES)
def test_what_was_added_comes_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, samples: list[Sample]
) -> None:
    folder = tmp_path_factory.mktemp("samples")
    write(folder, samples)
    found, load_run = sample_store.read(folder)
    assert found.equals(table_of(samples))
    assert found.to_pylist() == list(map(asdict, samples))
    assert load_run == LOAD_RUN


def test_pandas_reads_the_folder_in_one_line(tmp_path: Path) -> None:
    write(tmp_path / "samples", [SAMPLE, replace(SAMPLE, error=ErrorClass.TIMEOUT, status=None)])
    table = pd.read_parquet(tmp_path / "samples")
    assert list(table.columns) == list(Sample.__struct_fields__)
    assert table.latency_ns.tolist() == [1_234_567, 1_234_567]
    assert table.error.isna().tolist() == [True, False]


def test_the_lines_that_the_docs_show_do_what_they_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "artifacts" / "samples", [SAMPLE, replace(SAMPLE, latency_ns=3_234_567)])
    monkeypatch.chdir(tmp_path)
    document = (Path(__file__).parents[2] / "docs" / "samples.md").read_text()
    [*lines, last] = document.partition("```python\n")[2].partition("\n```")[0].splitlines()
    names: dict[str, Any] = {}
    exec("\n".join(lines), names)
    assert eval(last, names).loc["foo.localhost", "mean"] == 2_234_567


def test_every_column_is_described_to_readers() -> None:
    document = (Path(__file__).parents[2] / "docs" / "samples.md").read_text()
    for column in Sample.__struct_fields__:
        assert f"| `{column}` |" in document, f"docs/samples.md does not tell what {column} is"
    for error in ErrorClass:
        assert f"| `{error}` |" in document, f"docs/samples.md does not tell what {error} means"


def test_a_million_samples_stay_small(tmp_path: Path) -> None:
    """With nothing regular in them: random arrivals, latencies of a long tail."""
    count, chance, intended_ns = 100_000, Random(1), 0
    with sample_store.writer(tmp_path) as writer:
        for _ in range(count):
            intended_ns += round(chance.expovariate(1_000) * 1e9)
            first_byte_ns = round(chance.lognormvariate(14, 1))
            writer.append(
                replace(
                    SAMPLE,
                    host=chance.choice(["foo.localhost", "bar.localhost"]),
                    intended_start_ns=intended_ns,
                    actual_start_ns=intended_ns + chance.randrange(1_000_000),
                    latency_ns=first_byte_ns + chance.randrange(1_000_000),
                    connect_ns=chance.choice([0, chance.randrange(1_000_000)]),
                    first_byte_ns=first_byte_ns,
                )
            )
        writer.finish(LOAD_RUN)
    size_bytes = sum(file.stat().st_size for file in tmp_path.iterdir())
    assert size_bytes / count < 30, "a million in under 30 MB"


KILLED_RUN = """
import sys, time
from pathlib import Path
from loadtest import sample_store
from tests.unit.test_sample_store import SAMPLE
with sample_store.writer(Path(sys.argv[1])) as writer:
    for _ in range(100):
        writer.append(SAMPLE)
    print("added", flush=True)
    time.sleep(60)
"""


def test_a_killed_run_keeps_what_it_had(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KILLED_RUN, str(tmp_path)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    ) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"added\n"
        until_s = time.monotonic() + 10
        while not list(tmp_path.glob("part-*")) and time.monotonic() < until_s:
            time.sleep(0.05)
        run.kill()
    assert sample_store.read_samples(tmp_path).equals(table_of([SAMPLE] * 100))
    with pytest.raises(InconclusiveError, match="did not end by itself"):
        sample_store.read(tmp_path)


def test_a_run_that_fails_keeps_what_it_had(tmp_path: Path) -> None:
    def run() -> None:
        with sample_store.writer(tmp_path) as writer:
            writer.append(SAMPLE)
            raise RuntimeError("the engine failed")

    with pytest.raises(RuntimeError, match="the engine failed"):
        run()
    assert sample_store.read_samples(tmp_path).equals(table_of([SAMPLE]))


def test_samples_that_come_slowly_are_written_in_parts(tmp_path: Path) -> None:
    with sample_store.writer(tmp_path) as writer:
        writer.append(SAMPLE)
        time.sleep(1.3)
        writer.append(replace(SAMPLE, round=2))
        writer.finish(LOAD_RUN)
    assert len(list(tmp_path.glob("part-*"))) == 2
    assert sample_store.read(tmp_path)[0]["round"].to_pylist() == [1, 2]


def test_a_second_run_leaves_nothing_of_the_first(tmp_path: Path) -> None:
    write(tmp_path, [SAMPLE] * 3)
    with sample_store.writer(tmp_path) as writer:
        writer.append(SAMPLE)
    assert sample_store.read_samples(tmp_path).equals(table_of([SAMPLE]))
    with pytest.raises(InconclusiveError, match="did not end by itself"):
        sample_store.read(tmp_path)


def test_a_folder_that_does_not_exist_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no samples at"):
        sample_store.read(tmp_path / "nowhere")


def cut(folder: Path) -> None:
    part = folder / "part-00000.parquet"
    part.write_bytes(part.read_bytes()[:-20])


def scribbled_over(folder: Path) -> None:
    (folder / "part-00000.parquet").write_bytes(b"no samples at all")


def other_columns(folder: Path) -> None:
    pq.write_table(pa.table({"latency_ms": [1.0]}), folder / "part-00000.parquet")


def unknown_error_class(folder: Path) -> None:
    part = folder / "part-00000.parquet"
    table = pq.read_table(part)
    column = pa.array(["no such error"] * len(table), pa.string())
    place = table.schema.get_field_index("error")
    pq.write_table(table.set_column(place, table.schema.field("error"), column), part)


def a_part_lost(folder: Path) -> None:
    (folder / "part-00000.parquet").unlink()


def a_part_twice(folder: Path) -> None:
    shutil.copy(folder / "part-00000.parquet", folder / "part-00001.parquet")


def ending_damaged(folder: Path) -> None:
    (folder / "_load_run.json").write_text('{"samples": "many"}')


@pytest.mark.parametrize(
    "damage",
    [cut, scribbled_over, other_columns, unknown_error_class, a_part_lost, a_part_twice, ending_damaged],
)
def test_damage_is_told_and_where(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    write(tmp_path, [SAMPLE] * 10)
    damage(tmp_path)
    with pytest.raises(InconclusiveError, match="is not what was written") as told:
        sample_store.read(tmp_path)
    assert str(tmp_path) in told.value.message
    assert told.value.hint


def test_a_folder_that_cannot_be_made_is_told_before_the_load(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(MachineError, match="cannot be written"), sample_store.writer(tmp_path / "file" / "x"):
        pytest.fail("the load would have begun")


def no_space_left(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_ends_the_run_and_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run() -> None:
        with sample_store.writer(tmp_path) as writer:
            until_s = time.monotonic() + 5
            while time.monotonic() < until_s:
                writer.append(SAMPLE)
                time.sleep(0.01)
            pytest.fail("nobody told that samples are lost")

    monkeypatch.setattr("pyarrow.parquet.write_table", no_space_left)
    with pytest.raises(MachineError, match="No space left on device"):
        run()


def test_a_disk_that_is_full_at_the_end_is_told_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyarrow.parquet.write_table", no_space_left)
    with (
        pytest.raises(MachineError, match="No space left on device"),
        sample_store.writer(tmp_path) as writer,
    ):
        writer.append(SAMPLE)
