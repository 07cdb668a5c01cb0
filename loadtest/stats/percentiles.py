"""Exact percentiles by nearest rank: the value at rank ceil(percent / 100 * n) of the n sorted values.

Every percentile is thus a value that was measured: nothing between two of them, nothing rounded.
"""

from collections.abc import Sequence

# Below this p99 is little more than the maximum: of 200 values it is the third largest.
P99_MINIMUM_SAMPLES = 1_000


def nearest_rank(sorted_values: Sequence[int], percent: int) -> int:
    """The smallest value that at least `percent` per cent of the values do not exceed."""
    if not sorted_values:
        raise ValueError("no values have no percentile")
    if not 0 < percent <= 100:
        raise ValueError(f"percent is {percent}, it has to be between 1 and 100")
    rank = -(-percent * len(sorted_values) // 100)
    return sorted_values[rank - 1]


def p99(sorted_values: Sequence[int]) -> int | None:
    """None where there are too few values for it to say anything."""
    return nearest_rank(sorted_values, 99) if len(sorted_values) >= P99_MINIMUM_SAMPLES else None
