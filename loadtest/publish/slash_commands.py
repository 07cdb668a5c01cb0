"""What people with write access ask for in a comment: `/loadtest rerun` and `/loadtest accept <reason>`.

An accepted run is not measured again and nothing in its figures changes: the commit's status turns to
success, and comment and status say who accepted the missed objective and why. The next push starts anew.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loadtest.errors import PublishError, UsageError
from loadtest.github_event import Comment
from loadtest.publish import commit_status
from loadtest.publish.commit_status import CommitStatus, State
from loadtest.report import comment as report_comment
from loadtest.report import escape

if TYPE_CHECKING:
    from github.Repository import Repository

WORKFLOW = "loadtest.yml"
_MAY_WRITE = {"admin", "write"}  # what GitHub calls `maintain` answers as write
_USAGE = "A comment's first line says `/loadtest rerun` or `/loadtest accept <reason>`."
_REASON_LIMIT_CHARS = 200


@dataclass(frozen=True, kw_only=True)
class Asked:
    comment: Comment
    pull_request: int
    stack: str

    @property
    def login(self) -> str:
        return self.comment.user.login


def carry_out(repository: "Repository", asked: Asked) -> str:
    """Raises UsageError where it is not to be done; the value says what was."""
    reason = _reason(asked.comment.body)
    if repository.get_collaborator_permission(asked.login) not in _MAY_WRITE:
        raise UsageError(f"{asked.login} may not write to this repository", hint="Ask somebody who may.")
    commit = repository.get_pull(asked.pull_request).head.sha
    return _rerun(repository, commit) if reason is None else _accept(repository, asked, commit, reason)


def react(repository: "Repository", asked: Asked, reaction: str) -> None:
    repository.get_issue(asked.pull_request).get_comment(asked.comment.id).create_reaction(reaction)


def _reason(body: str) -> str | None:
    """Why a run is accepted; None where another run is asked for."""
    line = body.strip().partition("\n")[0].strip()
    if re.fullmatch(r"/loadtest\s+rerun", line):
        return None
    if accept := re.fullmatch(r"/loadtest\s+accept\s+(\S.*)", line):
        return accept[1]
    raise UsageError("this is no command of the load test", hint=_USAGE)


def _rerun(repository: "Repository", commit: str) -> str:
    runs = repository.get_workflow(WORKFLOW).get_runs(head_sha=commit, event="pull_request")
    # Another label taken off starts a run that skips all its jobs, and would skip them again.
    newest = next((one for one in runs if one.conclusion != "skipped"), None)
    if newest is None:
        raise UsageError(
            f"{WORKFLOW} never ran for {commit[:7]}", hint="A push to the pull request starts it."
        )
    if newest.status != "completed":
        raise UsageError(f"a run is under way already: {newest.html_url}", hint="Wait for it or cancel it.")
    if not newest.rerun():
        raise PublishError("not carried out: GitHub did not start the run again", hint="Needs actions: write")
    return f"started again: {newest.html_url}"


def _accept(repository: "Repository", asked: Asked, commit: str, reason: str) -> str:
    context = commit_status.context_of(asked.stack)
    state, said = commit_status.newest(repository, commit, context) or ("not there", "")
    if state != State.FAILURE:
        raise UsageError(
            f"nothing to accept: the status {context} of {commit[:7]} is {state}",
            hint="Only a missed objective of the newest commit can be accepted.",
        )
    # The comment first: where the status then fails and all is tried again, the same note replaces itself.
    _note(repository, asked, commit, reason)
    accepted = CommitStatus(
        context=context, state=State.SUCCESS, description=f"accepted by {asked.login}: {reason} (was: {said})"
    )
    return commit_status.set_status(repository, commit, accepted)


def _note(repository: "Repository", asked: Asked, commit: str, reason: str) -> None:
    from loadtest.publish import sticky_comment

    words = (
        f"☑️ **Accepted** for commit {escape.code(commit[:7])} by {escape.code(asked.login)}: "
        f"{escape.inline(reason, _REASON_LIMIT_CHARS)}"
    )
    issue = repository.get_issue(asked.pull_request)
    for own in sticky_comment.own_comments(repository, issue, report_comment.marker(asked.stack))[:1]:
        own.edit(report_comment.with_note(own.body, words))
