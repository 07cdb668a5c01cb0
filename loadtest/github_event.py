"""The event that started a workflow, as far as anything here depends on it; all of it is outside text.

`pull_request`: a push to one; `workflow_run`: the end of another workflow; `issue_comment`: a comment on one.
"""

from dataclasses import dataclass
from typing import Annotated

import msgspec

_Login = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,98}(\[bot\])?$")]
_Commit = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{40}$")]
_Number = Annotated[int, msgspec.Meta(ge=1)]


@dataclass(frozen=True, kw_only=True)
class Head:
    sha: str


@dataclass(frozen=True, kw_only=True)
class PullRequest:
    number: _Number
    head: Head


@dataclass(frozen=True, kw_only=True)
class Owner:
    login: _Login


@dataclass(frozen=True, kw_only=True)
class HeadRepository:
    owner: Owner


@dataclass(frozen=True, kw_only=True)
class WorkflowRun:
    """`head_*` says what was run: which commit of which branch, in whose repository, if that is there yet."""

    id: _Number
    head_sha: _Commit
    head_branch: str
    head_repository: HeadRepository | None


@dataclass(frozen=True, kw_only=True)
class Comment:
    id: _Number
    body: str
    user: Owner


@dataclass(frozen=True, kw_only=True)
class Issue:
    number: _Number
    pull_request: dict[str, object] | None = None  # None: an issue, and no pull request


@dataclass(frozen=True, kw_only=True)
class Event:
    pull_request: PullRequest | None = None
    workflow_run: WorkflowRun | None = None
    comment: Comment | None = None
    issue: Issue | None = None


def parse(content: bytes) -> Event:
    """Raises msgspec.DecodeError where it is of another shape."""
    return msgspec.json.decode(content, type=Event)
