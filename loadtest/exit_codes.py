"""What the exit code of every command means, in one place: scripts and workflows branch on it."""

from collections.abc import Iterable
from enum import IntEnum


class ExitCode(IntEnum):
    """Pinned by a test: a number never changes its meaning."""

    PASSED = 0
    OBJECTIVE_MISSED = 1
    USAGE = 2
    MACHINE = 3
    DEPLOY_FAILED = 4
    UNHEALTHY = 5
    INCONCLUSIVE = 6
    CLEANUP_INCOMPLETE = 7
    INTERRUPTED = 130


# From harmless to worst. Leftovers rank above any verdict: the verdict stands in the report, but only the
# exit code tells a script that something on the machine still needs a hand.
_SEVERITY = (
    ExitCode.PASSED,
    ExitCode.INCONCLUSIVE,
    ExitCode.OBJECTIVE_MISSED,
    ExitCode.UNHEALTHY,
    ExitCode.DEPLOY_FAILED,
    ExitCode.MACHINE,
    ExitCode.USAGE,
    ExitCode.INTERRUPTED,
    ExitCode.CLEANUP_INCOMPLETE,
)


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    """The code a run ends with: the worst of all that happened in it, PASSED when nothing did."""
    return max(codes, key=_SEVERITY.index, default=ExitCode.PASSED)
