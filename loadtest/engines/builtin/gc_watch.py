"""How the memory management of a sending process is kept out of its way, and what it takes all the same."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter_ns

from loadtest.load_run import GcPauses


class GcWatch:
    def __init__(self) -> None:
        self._began_ns = 0
        self._pauses_ns: list[int] = []

    def __call__(self, phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            self._began_ns = perf_counter_ns()
        else:
            self._pauses_ns.append(perf_counter_ns() - self._began_ns)

    @property
    def pauses(self) -> GcPauses:
        return GcPauses(
            count=len(self._pauses_ns),
            total_ms=sum(self._pauses_ns) / 1e6,
            longest_ms=max(self._pauses_ns, default=0) / 1e6,
        )


@contextmanager
def watched_gc() -> Iterator[GcWatch]:
    """Within, nothing that was there before is looked through again, which leaves little to look through."""
    watch = GcWatch()
    gc.collect()
    gc.freeze()
    gc.callbacks.append(watch)
    try:
        yield watch
    finally:
        gc.callbacks.remove(watch)
        gc.unfreeze()
