"""What is known of a load once it was sent, beside its samples: the window and the generator's own facts."""

from dataclasses import dataclass

from loadtest.sample import LoadWindow


@dataclass(frozen=True, kw_only=True)
class GcPauses:
    """How often and how long the generator's own memory management held it up within the window."""

    count: int
    total_ms: float
    longest_ms: float


@dataclass(frozen=True, kw_only=True)
class Generator:
    """What the load generator says of itself, so that a reader can see it was not what was measured.

    `cpu_s` is what sending and receiving took within the window. `connections_opened` counts from warm-up on:
    where it equals the number of clients, every connection was reused to the end. `dropped_requests` were
    due and never started, for lack of a free client. Where an engine does not tell when it meant to send
    (`tells_intended_start`), its samples have the actual start for the intended one. `worker_processes` share
    the load, and each can keep `cores_per_process` cores busy; `busiest_worker_cpu_s` is the most that one of
    them took, None where they do not tell. `planned_rps` is what an open loop was to send over its window,
    None in any other. `gc_pauses` is None where the engine cannot tell. `notes` are what else a reader has to
    know to judge the figures, a sentence each.
    """

    engine: str
    cpu_s: float
    connections_opened: int
    dropped_requests: int = 0
    tells_intended_start: bool = True
    worker_processes: int = 1
    cores_per_process: int = 1
    busiest_worker_cpu_s: float | None = None
    planned_rps: float | None = None
    gc_pauses: GcPauses | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class LoadRun:
    window: LoadWindow
    generator: Generator
