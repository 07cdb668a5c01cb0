"""Exact percentiles by nearest rank, and how far each may be from the truth.

A percentile is the value at rank ceil(percent / 100 * n) of the n sorted values: one that was measured, with
nothing between two of them and nothing rounded. So are the ends of its interval.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import exp, lgamma, log, sqrt

# Below this p99 is little more than the maximum: of 200 values it is the third largest.
P99_MINIMUM_SAMPLES = 1_000
# With fewer samples "p99" may mean anything from p98 to p100: it is shown from fewer, judged from here.
P99_MINIMUM_SAMPLES_TO_JUDGE = 10_000

_CONFIDENCE = 0.95
_NOTHING_BEYOND_SIGMAS = 10


def nearest_rank(sorted_values: Sequence[int], percent: int | Fraction) -> int:
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


def interval_ranks(count: int, percent: int) -> tuple[int, int] | None:
    """Ranks, from 1, of the two values between which the true percentile lies in 95 of 100 such samples.

    How many of `count` values lie below the true percentile follows a binomial distribution, whatever the
    values' own one is; each end leaves out at most 2.5 %. None where there are too few values for an end.
    """
    ratio, outside = percent / 100, (1 - _CONFIDENCE) / 2
    low = _binomial_quantile(count, ratio, outside)
    high = _binomial_quantile(count, ratio, 1 - outside) + 1
    return (low, high) if low >= 1 and high <= count else None


def _binomial_quantile(count: int, ratio: float, probability: float) -> int:
    """The smallest number of successes in `count` trials that is not exceeded with this probability.

    In scipy it is `binom.ppf`, whose import takes longer than all the rest of a report.
    """
    sigma = sqrt(count * ratio * (1 - ratio))
    successes = max(0, int(count * ratio - _NOTHING_BEYOND_SIGMAS * sigma))
    chance = exp(
        lgamma(count + 1)
        - lgamma(successes + 1)
        - lgamma(count - successes + 1)
        + successes * log(ratio)
        + (count - successes) * log(1 - ratio)
    )
    not_more = chance
    while not_more < probability and successes < count:
        chance *= (count - successes) / (successes + 1) * ratio / (1 - ratio)
        successes += 1
        not_more += chance
    return successes
