"""The samples of a run on disk: a folder of compressed columns that other tools read as one table.

Written in parts while the load runs, each put in place whole, so that a killed run keeps what it had. The
load run's own facts stand beside them. docs/samples.md tells readers the columns. Leaves out every figure.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from loadtest.errors import InconclusiveError, MachineError, UsageError
from loadtest.load_run import LoadRun
from loadtest.sample import Arm, ErrorClass, Sample
from loadtest.sample_columns import CODED, NUMBERS, SCHEMA, SampleColumns

# Readers of a folder of parts pass over names that begin with an underscore or a dot.
_ENDING_FILE = "_load_run.json"
_PART_LEAST_S, _PART_MOST_S = 1.0, 10.0


@dataclass(frozen=True, kw_only=True)
class _Ending:
    """Written last: its absence tells that the load was cut short, its count that a part went missing."""

    samples: int
    load_run: LoadRun


OnPart = Callable[[SampleColumns], None]
"""Told each part once it is written, an empty one too, in the writer's own thread."""


class SampleWriter:
    """Takes samples from one thread, cheaply: a thread of its own encodes and writes them.

    A part is written every second, and the more seldom the longer a run lasts (every hundredth of its time,
    ten seconds at most), which keeps the number of parts small and memory from growing.
    """

    def __init__(self, folder: Path, on_part: OnPart) -> None:
        self._folder, self._on_part = folder, on_part
        self._rows = SampleColumns()
        self._parts = self._samples = 0
        self._swap = threading.Lock()
        self._closing = threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._write_parts, name="sample writer", daemon=True)
        self._thread.start()

    def append(self, sample: Sample) -> None:
        """Raises what `check` raises."""
        if self._failure is not None:
            self.check()
        with self._swap:
            self._rows.append(sample)
        self._samples += 1

    def finish(self, load_run: LoadRun) -> None:
        """Say that the load ended by itself; close as well."""
        self.close()
        self.check()
        ending = _Ending(samples=self._samples, load_run=load_run)
        unfinished = self._folder / f".{_ENDING_FILE}"
        try:
            unfinished.write_bytes(msgspec.json.format(msgspec.json.encode(ending)) + b"\n")
            unfinished.replace(self._folder / _ENDING_FILE)
        except OSError as error:
            raise _not_writable(self._folder, error) from error

    def close(self) -> None:
        """Write what is still held, and no more after that."""
        self._closing.set()
        self._thread.join()

    def check(self) -> None:
        """Raises MachineError where samples could not be written."""
        if isinstance(self._failure, OSError):
            raise _not_writable(self._folder, self._failure) from self._failure
        if self._failure is not None:
            raise self._failure

    def _write_parts(self) -> None:
        started_s = monotonic()
        closing = False
        while not closing and self._failure is None:
            part_s = min(max(_PART_LEAST_S, (monotonic() - started_s) / 100), _PART_MOST_S)
            closing = self._closing.wait(part_s)
            with self._swap:
                rows, self._rows = self._rows, SampleColumns()
            try:
                self._write_part(rows)
                self._on_part(rows)
            except Exception as error:  # raised where the samples come from: nobody looks at this thread
                self._failure = error

    def _write_part(self, rows: SampleColumns) -> None:
        if not len(rows):
            return
        part = self._folder / f"part-{self._parts:05}.parquet"
        unfinished = part.with_name(f".{part.name}")
        pq.write_table(
            rows.table(),
            unfinished,
            compression="zstd",
            use_dictionary=CODED,
            column_encoding=dict.fromkeys(NUMBERS, "DELTA_BINARY_PACKED"),
        )
        unfinished.replace(part)
        self._parts += 1


@contextmanager
def writer(folder: Path, on_part: OnPart = lambda rows: None) -> Iterator[SampleWriter]:
    """A writer to the folder, which is emptied of an earlier run; whatever happens, what it took is kept."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for stale in (*folder.glob("part-*"), *folder.glob(".part-*"), *folder.glob(_ENDING_FILE)):
            stale.unlink()
    except OSError as error:
        raise _not_writable(folder, error) from error
    sample_writer = SampleWriter(folder, on_part)
    try:
        yield sample_writer
    finally:
        sample_writer.close()
    sample_writer.check()


def is_cut_short(folder: Path) -> bool:
    """There is no word of the load's end: what is there is not all."""
    return folder.is_dir() and not (folder / _ENDING_FILE).exists()


def read(folder: Path) -> tuple[pa.Table, LoadRun]:
    """A run that ended by itself. Raises UsageError or InconclusiveError where there is none."""
    samples = read_samples(folder)
    ending = _read_ending(folder / _ENDING_FILE)
    if len(samples) != ending.samples:
        raise _broken(folder, f"{len(samples)} samples are there, {ending.samples} were written")
    return samples, ending.load_run


def read_samples(folder: Path) -> pa.Table:
    """Every sample of a run, of one cut short as well; InconclusiveError where a part is damaged."""
    if not folder.is_dir():
        raise UsageError(f"there are no samples at {folder}", hint="`loadtest run` writes them.")
    parts = sorted(folder.glob("part-*.parquet"))
    return pa.concat_tables([SCHEMA.empty_table(), *map(_read_part, parts)])


def _read_part(part: Path) -> pa.Table:
    try:
        with pq.ParquetFile(part) as file:
            samples = file.read()
    except (OSError, pa.ArrowException, ValueError) as error:
        raise _broken(part, str(error)) from error
    if not samples.schema.equals(SCHEMA):
        raise _broken(part, f"it has the columns {', '.join(map(str, samples.schema))}")
    for name, known in (("arm", Arm), ("error", ErrorClass)):
        if unknown := set(samples[name].unique().drop_null().to_pylist()) - set(known):
            raise _broken(part, f"it has {name} {', '.join(sorted(unknown))}")
    return samples


def _read_ending(file: Path) -> _Ending:
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Ending)
    except FileNotFoundError as error:
        raise InconclusiveError(
            f"{file} is missing: the load did not end by itself", hint="Run the load again."
        ) from error
    except (OSError, msgspec.DecodeError) as error:
        raise _broken(file, str(error)) from error


def _broken(file: Path, why: str) -> InconclusiveError:
    return InconclusiveError(f"{file} is not what was written: {why}", hint="Run the load again.")


def _not_writable(folder: Path, error: OSError) -> MachineError:
    return MachineError(
        f"samples cannot be written to {folder}: {error.strerror or error}",
        hint="Is there space left on the disk, and may you write there?",
    )
