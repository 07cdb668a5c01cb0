"""What GitHub shows of a run: the pull request's comment, the commit's status, the workflow's job summary.

Publishing never fails a run: whatever goes wrong becomes a sentence for the reader. Carrying out what
somebody asks for in a comment is another matter: it is told where it was not done.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from loadtest.errors import LoadTestError, MachineError, PublishError, UsageError
from loadtest.publish import commit_status, job_summary, pull_requests, slash_commands
from loadtest.publish.commit_status import CommitStatus
from loadtest.settings import CommentWhen, Settings

if TYPE_CHECKING:
    from github.Repository import Repository

    from loadtest.publish.sticky_comment import Compose

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")


def publish(
    *, compose: "Compose", marker: str, status: CommitStatus, summary: str, settings: Settings
) -> tuple[str, ...]:
    """Post to every place the environment names; the value says of each what became of it."""
    attempts: Sequence[Callable[[], str]] = (
        lambda: _post_comment(compose, marker, settings),
        *((lambda: set_status(status, settings),) if settings.github_token and settings.commit else ()),
        *((lambda: job_summary.append(path, summary),) if (path := settings.step_summary) else ()),
    )
    return settings.problems + tuple(_outcome(attempt) for attempt in attempts)


def set_status(status: CommitStatus, settings: Settings) -> str:
    """Raises PublishError where GitHub does not take it."""
    if settings.commit is None:
        raise PublishError("no status set: the commit (GITHUB_EVENT_PATH or GITHUB_SHA) not given")
    question = partial(commit_status.set_status, commit=settings.commit, status=status)
    return _ask(settings, question, failed="no status set", permission="statuses: write")


def pull_request_of_run(settings: Settings) -> int:
    """The pull request whose newest commit is the one that the ended workflow ran.

    Raises PublishError where there is none any more, or where the event is not the end of a workflow.
    """
    if settings.workflow_run is None:
        raise PublishError("no comment posted: the event names no ended workflow run")
    question = partial(pull_requests.of_run, run=settings.workflow_run)
    number = _ask(settings, question, failed="no comment posted", permission="pull-requests: read")
    if number is None:
        raise PublishError("no comment posted: no open pull request has that commit as its newest any more")
    return number


def carry_out(settings: Settings, *, stack: str) -> str:
    """Do what a comment on a pull request asks for; the comment gets a thumb up or down.

    Raises UsageError where it is not to be done, MachineError where GitHub does not let it.
    """
    if settings.comment is None or settings.pull_request is None:
        raise UsageError(
            "there is no comment on a pull request to carry out",
            hint="The event at GITHUB_EVENT_PATH has to be one.",
        )
    asked = slash_commands.Asked(comment=settings.comment, pull_request=settings.pull_request, stack=stack)
    ask = partial(
        _ask, settings, failed="not carried out", permission="actions, pull-requests, statuses: write"
    )
    reaction = "-1"
    try:
        said = ask(partial(slash_commands.carry_out, asked=asked))
        reaction = "+1"
    except PublishError as error:
        raise MachineError(error.message, hint=error.hint) from error
    finally:
        with suppress(LoadTestError):
            ask(partial(slash_commands.react, asked=asked, reaction=reaction))
    return said


def keep_history(line: str, *, stack: str, settings: Settings) -> str:
    """Raises MachineError where GitHub does not take it: who asks for a history wants to know of gaps."""
    from loadtest.publish import history_branch

    question = partial(history_branch.append, stack=stack, line=line)
    try:
        return _ask(settings, question, failed="no history kept", permission="contents: write")
    except PublishError as error:
        raise MachineError(error.message, hint=error.hint) from error


def _post_comment(compose: "Compose", marker: str, settings: Settings) -> str:
    number, failed = settings.pull_request, "no comment posted"
    if settings.comment_when is CommentWhen.NEVER:
        return f"{failed}: LOADPROOF_COMMENT is {settings.comment_when}"
    if number is None:
        raise PublishError(f"{failed}: {', '.join([*_missing(settings), _PULL_REQUEST])} not given")
    from loadtest.publish import sticky_comment

    question = partial(sticky_comment.post, pull_request=number, compose=compose, marker=marker)
    return _ask(settings, question, failed=failed, permission="pull-requests: write")


_PULL_REQUEST = "a pull request (GITHUB_EVENT_PATH or LOADPROOF_PULL_REQUEST)"


def _ask(
    settings: Settings, question: "Callable[[Repository], Answer]", *, failed: str, permission: str
) -> Answer:
    token, repository = settings.github_token, settings.repository
    if token is None or repository is None:
        raise PublishError(f"{failed}: {', '.join(_missing(settings))} not given")
    from loadtest.publish import github_access  # a quarter of a second that most runs need not spend

    access = github_access.GitHubAccess(api_url=settings.github_api_url, token=token, repository=repository)
    return github_access.ask(access, question, failed=failed, permission=permission)


def _missing(settings: Settings) -> list[str]:
    needed = {"GITHUB_TOKEN": settings.github_token, "GITHUB_REPOSITORY": settings.repository}
    return [name for name, value in needed.items() if value is None]


def _outcome(attempt: Callable[[], str]) -> str:
    try:
        return attempt()
    except PublishError as error:
        return " ".join(filter(None, (error.message, error.hint)))
    except Exception as error:
        # A defect here, or an answer no client expects, must not turn a finished run into a failed one.
        logger.exception("publishing failed in a way nobody foresaw")
        return f"not published: {type(error).__name__} (the log has the details)"
