"""Samples as columns: their names and types on disk, and the way from rows to columns.

docs/samples.md tells readers what each column holds. Leaves out files.
"""

from array import array

import numpy as np
import pyarrow as pa

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
_START, _LATENCY, _ERROR = map(SCHEMA.get_field_index, ("actual_start_ns", "latency_ns", "error"))
_NONE = -1  # no number that may be missing is negative

_Column = np.ndarray[tuple[int], np.dtype[np.int64]]


class _Codes(dict[object, int]):
    """Numbers for the values that occur, in the order in which they came."""

    def __missing__(self, value: object) -> int:
        code = self[value] = len(self)
        return code


class SampleColumns:
    """Samples as rows of numbers, made columns all at once: adding one is quick, encoding has no loop."""

    def __init__(self) -> None:
        self._rows = array("q")
        self._arms, self._hosts, self._statuses, self._errors = _Codes(), _Codes(), _Codes(), _Codes()

    def __len__(self) -> int:
        return len(self._rows) // len(SCHEMA)

    def append(self, sample: Sample) -> None:
        """In the order of SCHEMA. Called for each request of a load, while others wait to be sent."""
        connect_ns, first_byte_ns = sample.connect_ns, sample.first_byte_ns
        self._rows.extend(
            (
                self._arms[sample.arm],
                sample.round,
                self._hosts[sample.host],
                sample.intended_start_ns,
                sample.actual_start_ns,
                sample.latency_ns,
                self._statuses[sample.status],
                sample.body_bytes,
                self._errors[sample.error],
                _NONE if connect_ns is None else connect_ns,
                _NONE if first_byte_ns is None else first_byte_ns,
            )
        )

    def right_latencies_ns(self) -> _Column:
        """Of the requests that were answered rightly; all others failed."""
        columns = self._columns()
        right: _Column = columns[_LATENCY][columns[_ERROR] == self._errors.get(None, _NONE)]
        return right

    def last_end_ns(self) -> int:
        """When the last of the requests was over. There has to be one."""
        columns = self._columns()
        return int((columns[_START] + columns[_LATENCY]).max())

    def table(self) -> pa.Table:
        columns = self._columns()
        codes = dict(zip(CODED, (self._arms, self._hosts, self._statuses, self._errors), strict=True))
        arrays = [
            _coded(field, column, codes[field.name]) if field.name in codes else _numbers(field, column)
            for field, column in zip(SCHEMA, columns, strict=True)
        ]
        return pa.Table.from_arrays(arrays, schema=SCHEMA)

    def _columns(self) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
        return np.frombuffer(self._rows, dtype=np.int64).reshape(-1, len(SCHEMA)).T


def _coded(field: pa.Field, column: _Column, codes: _Codes) -> pa.Array:
    return pa.array(list(codes), field.type).take(pa.array(column))


def _numbers(field: pa.Field, column: _Column) -> pa.Array:
    return pa.array(column, field.type, mask=column == _NONE if field.nullable else None)
