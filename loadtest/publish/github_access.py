"""A question to a repository on GitHub: bounded in time, asked again where that helps, errors with a hint.

Leaves out what is asked and when asking again is worth it.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import github
import requests
from github.Repository import Repository

from loadtest.errors import PublishError
from loadtest.publish import github_retry

_TIMEOUT_S = 15
_PAGE_SIZE = 100
_MESSAGE_LIMIT_CHARS = 200
_HINTS: Mapping[int, str] = {
    401: "Is GITHUB_TOKEN still valid?",
    403: "It needs `{permission}`; a fork's pull request gets a token that may only read.",
    404: "Is there such a pull request or commit, and may the token see the repository?",
}

Answer = TypeVar("Answer")


@dataclass(frozen=True, kw_only=True)
class GitHubAccess:
    api_url: str
    token: str = field(repr=False)
    repository: str


def ask(
    access: GitHubAccess,
    question: Callable[[Repository], Answer],
    *,
    failed: str,
    permission: str,
    sleep: Callable[[float], None] = time.sleep,
    now_unix_s: Callable[[], float] = time.time,
) -> Answer:
    """The answer to a question, which is asked from its beginning each time.

    Raises PublishError, in which `failed` says what did not come about and `permission` what it needs.
    """
    try:
        answer: Answer = github_retry.retrying(sleep, now_unix_s)(_ask_once, access, question)
    except (github.GithubException, requests.RequestException) as error:
        raise _publish_error(error, failed, permission) from error
    return answer


def _ask_once(access: GitHubAccess, question: Callable[[Repository], Answer]) -> Answer:
    with github.Github(
        auth=github.Auth.Token(access.token),
        base_url=access.api_url,
        timeout=_TIMEOUT_S,
        per_page=_PAGE_SIZE,
        retry=None,  # `github_retry` knows of bounds and starts from the beginning
        seconds_between_requests=None,
        seconds_between_writes=None,
        lazy=True,
    ) as client:
        return question(client.get_repo(access.repository))


def _publish_error(
    error: github.GithubException | requests.RequestException, failed: str, permission: str
) -> PublishError:
    if isinstance(error, requests.RequestException):
        return PublishError(f"{failed}: GitHub does not answer ({type(error).__name__})")
    if github_retry.is_rate_limit(error):
        return PublishError(f"{failed}: GitHub's rate limit is reached", hint="A later run may do it.")
    answer = f"{error.status} {(error.message or '')[:_MESSAGE_LIMIT_CHARS]}".strip()
    hint = _HINTS.get(error.status, "").format(permission=permission)
    return PublishError(f"{failed}: GitHub answered {answer}", hint=hint)
