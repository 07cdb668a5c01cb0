"""The pull request's one comment: found by its hidden marker and its author, then updated or created.

Another's comment is never touched, whatever it says. Leaves out what the comment says and when to try again.
"""

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import github
import requests
from github.Issue import Issue
from github.IssueComment import IssueComment

from loadtest.errors import PublishError
from loadtest.publish import github_retry

_TIMEOUT_S = 15
_PAGE_SIZE = 100
_MESSAGE_LIMIT_CHARS = 200
_HINTS: Mapping[int, str] = {
    401: "Is GITHUB_TOKEN still valid?",
    403: "It needs `pull-requests: write`; a fork's pull request gets a token that may only read.",
    404: "Is there such a pull request, and may the token see the repository?",
}


@dataclass(frozen=True, kw_only=True)
class CommentPlace:
    api_url: str
    token: str = field(repr=False)
    repository: str
    pull_request: int


def post(
    place: CommentPlace,
    body: str,
    marker: str,
    *,
    sleep: Callable[[float], None] = time.sleep,
    now_unix_s: Callable[[], float] = time.time,
) -> str:
    """Create or update the comment whose first line is `marker`; the value says which and where.

    Raises PublishError where GitHub does not take it.
    """
    try:
        # Each attempt starts from the list of comments: one that was created although its answer got lost is
        # found there, and not created twice.
        return github_retry.retrying(sleep, now_unix_s)(_post_once, place, body, marker)
    except (github.GithubException, requests.RequestException) as error:
        raise _publish_error(error) from error


def _post_once(place: CommentPlace, body: str, marker: str) -> str:
    with github.Github(
        auth=github.Auth.Token(place.token),
        base_url=place.api_url,
        timeout=_TIMEOUT_S,
        per_page=_PAGE_SIZE,
        retry=None,  # `github_retry` knows of bounds and starts from the list
        seconds_between_requests=None,
        seconds_between_writes=None,
        lazy=True,
    ) as client:
        issue = client.get_repo(place.repository).get_issue(place.pull_request)
        own = _own_comments(client, issue, marker)
        return _update(issue, own, body) if own else _create(issue, body)


def _own_comments(client: github.Github, issue: Issue, marker: str) -> list[IssueComment]:
    """Those that begin with the marker and that the token's owner wrote, the oldest first."""
    marked = [one for one in issue.get_comments() if (one.body or "").partition("\n")[0].strip() == marker]
    if not marked:
        return []
    login = _login(client)
    # An author is None where the account is gone.
    return [one for one in marked if one.user is not None and one.user.login == login]


def _login(client: github.Github) -> str:
    """Who the token speaks for. Not `GET /user`: that refuses the tokens that workflows have."""
    _, answer = client.requester.graphql_query("query { viewer { login } }", {})
    return str(answer["data"]["viewer"]["login"])


def _update(issue: Issue, own: list[IssueComment], body: str) -> str:
    """Update the oldest and delete the rest, which two runs at once may have left."""
    kept, *surplus = own
    try:
        kept.edit(body)
    except github.UnknownObjectException:  # deleted since it was listed
        return _create(issue, body)
    for comment in surplus:
        with contextlib.suppress(github.UnknownObjectException):
            comment.delete()
    return f"comment updated: {kept.html_url}"


def _create(issue: Issue, body: str) -> str:
    return f"comment posted: {issue.create_comment(body).html_url}"


def _publish_error(error: github.GithubException | requests.RequestException) -> PublishError:
    if isinstance(error, requests.RequestException):
        return PublishError(f"no comment posted: GitHub does not answer ({type(error).__name__})")
    if github_retry.is_rate_limit(error):
        return PublishError(
            "no comment posted: GitHub's rate limit is reached", hint="A later run may post it."
        )
    answer = f"{error.status} {(error.message or '')[:_MESSAGE_LIMIT_CHARS]}".strip()
    return PublishError(f"no comment posted: GitHub answered {answer}", hint=_HINTS.get(error.status, ""))
