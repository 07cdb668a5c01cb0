"""timings.json: seconds per stage, those after the report included, for benchmarks and trends."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from loadtest.report.model import StageTiming

SCHEMA_VERSION: Final = 1


@dataclass(frozen=True, kw_only=True)
class Timings:
    schema_version: Literal[1] = SCHEMA_VERSION
    total_s: float
    stages: tuple[StageTiming, ...]


def render(stages: Sequence[StageTiming]) -> str:
    timings = Timings(total_s=sum(one.duration_s for one in stages), stages=tuple(stages))
    return msgspec.json.format(msgspec.json.encode(timings), indent=2).decode() + "\n"
