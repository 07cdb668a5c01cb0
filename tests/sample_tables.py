"""Samples as the store gives them back, without a store."""

from collections.abc import Iterable

import pyarrow as pa

from loadtest.sample import Sample
from loadtest.sample_columns import SampleColumns


def table_of(samples: Iterable[Sample]) -> pa.Table:
    columns = SampleColumns()
    for sample in samples:
        columns.append(sample)
    return columns.table()
