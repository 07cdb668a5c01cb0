"""Samples as columns: their names and types on disk, and the way from rows to columns.

docs/samples.md tells readers what each column holds. Leaves out files.
"""

from array import array

import pyarrow as pa
import pyarrow.compute as pc

from loadtest.sample import Sample

SCHEMA = pa.schema(
    [
        pa.field("arm", pa.string(), nullable=False),
        pa.field("round", pa.int32(), nullable=False),
        pa.field("host", pa.string(), nullable=False),
        pa.field("intended_start_ns", pa.int64(), nullable=False),
        pa.field("actual_start_ns", pa.int64(), nullable=False),
        pa.field("latency_ns", pa.int64(), nullable=False),
        pa.field("status", pa.int16()),
        pa.field("body_bytes", pa.int64(), nullable=False),
        pa.field("error", pa.string()),
        pa.field("connect_ns", pa.int64()),
        pa.field("first_byte_ns", pa.int64()),
    ]
)
# Columns of few different values, kept and encoded as numbers into a table of those.
CODED = ["arm", "host", "status", "error"]
NUMBERS = [name for name in SCHEMA.names if name not in CODED]
_OPTIONAL_NUMBERS = [name for name in NUMBERS if SCHEMA.field(name).nullable]
_NONE = -1  # in these none is negative


class SampleColumns:
    """Samples as columns of numbers: adding one is quick, and encoding a part takes no loop over rows."""

    def __init__(self) -> None:
        self._columns = {name: array("q") for name in SCHEMA.names}
        self._codes: dict[str, dict[object, int]] = {name: {} for name in CODED}

    def __len__(self) -> int:
        return len(self._columns["latency_ns"])

    def append(self, sample: Sample) -> None:
        for name in NUMBERS:
            number = getattr(sample, name)
            self._columns[name].append(_NONE if number is None else number)
        for name, codes in self._codes.items():
            self._columns[name].append(codes.setdefault(getattr(sample, name), len(codes)))

    def table(self) -> pa.Table:
        return pa.Table.from_arrays([self._arrow(field) for field in SCHEMA], schema=SCHEMA)

    def _arrow(self, field: pa.Field) -> pa.Array:
        column = self._columns[field.name]
        numbers = pa.Array.from_buffers(pa.int64(), len(column), [None, pa.py_buffer(column)])
        if field.name in CODED:
            return pa.array(list(self._codes[field.name]), field.type).take(numbers)
        if field.name in _OPTIONAL_NUMBERS:
            return pc.if_else(pc.equal(numbers, _NONE), None, numbers)
        return numbers.cast(field.type)
