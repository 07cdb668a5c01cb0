"""One kind of time of many requests, sorted once: of all of them together, and of each host's alone."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc


class SortedTimes:
    """Those that are known; `hosts` has a name for each. What comes out is not copied value by value."""

    def __init__(self, hosts: pa.ChunkedArray, times_ns: pa.ChunkedArray) -> None:
        known = pc.is_valid(times_ns)
        known_ns = times_ns.filter(known)
        order = pc.sort_indices(known_ns)
        self._times_ns = _whole(known_ns.take(order))
        self._hosts = _whole(hosts.filter(known).take(order))

    def of(self, host: str | None) -> Sequence[int]:
        """None: of all hosts. What is sorted stays so when others are left out."""
        if host is None:
            return _numbers(self._times_ns)
        return _numbers(self._times_ns.filter(pc.equal(self._hosts, host)))


def _whole(column: pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks()
    return whole if isinstance(whole, pa.Array) else pa.concat_arrays(whole.chunks)


def _numbers(times_ns: pa.Array) -> Sequence[int]:
    if not len(times_ns):
        return ()
    numbers = memoryview(times_ns.buffers()[1]).cast("q")
    return numbers[times_ns.offset : times_ns.offset + len(times_ns)]
