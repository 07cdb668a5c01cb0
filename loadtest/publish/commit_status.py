"""The one line beside a commit: success, failure or error, with what came of the run in a sentence.

A branch rule can ask for it by its context. Leaves out what is a success.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from github.Repository import Repository

_DESCRIPTION_LIMIT_CHARS = 140  # GitHub's own


class State(StrEnum):
    """FAILURE: a promise was not kept; ERROR: nothing can be said of it."""

    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"


@dataclass(frozen=True, kw_only=True)
class CommitStatus:
    context: str
    state: State
    description: str
    url: str | None = None


def context_of(stack: str) -> str:
    return f"loadtest/{stack}"


def set_status(repository: "Repository", commit: str, status: CommitStatus) -> str:
    """The newest status of a context counts: this one replaces what was there before."""
    description = _shortened(status.description)
    optional = {"target_url": status.url} if status.url else {}
    repository.get_commit(commit).create_status(
        state=status.state.value, description=description, context=status.context, **optional
    )
    return f"status {status.context} of {commit[:7]}: {status.state.value}"


def newest(repository: "Repository", commit: str, context: str) -> tuple[str, str] | None:
    """State and description of a context, None where it has no status."""
    found = (one for one in repository.get_commit(commit).get_statuses() if one.context == context)
    return next(((one.state, one.description or "") for one in found), None)


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _DESCRIPTION_LIMIT_CHARS else line[: _DESCRIPTION_LIMIT_CHARS - 1] + "…"
