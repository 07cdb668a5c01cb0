"""What is known of a load once it was sent, beside its samples: the window and the generator's own facts."""

from dataclasses import dataclass

from loadtest.sample import LoadWindow


@dataclass(frozen=True, kw_only=True)
class Generator:
    """What the load generator says of itself, so that a reader can see it was not what was measured.

    `cpu_s` is what sending and receiving took within the window. `connections_opened` counts from warm-up on:
    where it equals the plan's concurrency, every connection was reused to the end.
    """

    engine: str
    cpu_s: float
    connections_opened: int


@dataclass(frozen=True, kw_only=True)
class LoadRun:
    window: LoadWindow
    generator: Generator
