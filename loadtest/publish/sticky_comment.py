"""The pull request's one comment: found by its hidden marker and its author, then updated or created.

Another's comment is never touched, whatever it says. Leaves out what the comment says.
"""

import contextlib
from collections.abc import Callable

import github
from github.Issue import Issue
from github.IssueComment import IssueComment
from github.Repository import Repository

Compose = Callable[[str], str | None]
"""The comment to be, from the one that is there (else empty text); None where there need not be one."""


def post(repository: Repository, pull_request: int, compose: Compose, marker: str) -> str:
    """Create or update the comment whose first line is `marker`; the value says which and where.

    Starts from the list of comments: one that was created although its answer got lost is found there, and
    not created twice.
    """
    issue = repository.get_issue(pull_request)
    own = own_comments(repository, issue, marker)
    body = compose(own[0].body if own else "")
    if body is None:
        return "no comment posted: nothing in it would need anybody's attention"
    return _update(issue, own, body) if own else _create(issue, body)


def own_comments(repository: Repository, issue: Issue, marker: str) -> list[IssueComment]:
    """Those that begin with the marker and that the token's owner wrote, the oldest first."""
    marked = [one for one in issue.get_comments() if (one.body or "").partition("\n")[0].strip() == marker]
    if not marked:
        return []
    login = _login(repository)
    # An author is None where the account is gone.
    return [one for one in marked if one.user is not None and one.user.login == login]


def _login(repository: Repository) -> str:
    """Who the token speaks for. Not `GET /user`: that refuses the tokens that workflows have."""
    _, answer = repository.requester.graphql_query("query { viewer { login } }", {})
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
