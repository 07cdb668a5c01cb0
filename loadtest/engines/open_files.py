"""Whether this machine lets a process hold as many connections as a load needs, asked before the load."""

import resource

from loadtest.errors import MachineError

# Files that a process has open besides the load's connections: logs, sample parts, the event loop's own.
_OTHER_OPEN_FILES = 64


def check_open_files(connections: int, what: str) -> None:
    """`what` says in the error what takes so many. Raises MachineError where the limit is too low."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = connections + _OTHER_OPEN_FILES
    if limit != resource.RLIM_INFINITY and limit < needed:
        raise MachineError(
            f"{what} may need {needed} open files, this machine's limit is {limit}",
            hint=f"Raise it with `ulimit -n {needed}`, or ask for less at a time.",
        )
