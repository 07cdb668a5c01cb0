"""The environment as one typed value: nothing else in this package reads environment variables.

Reading never fails: a variable that makes no sense is left out and named in `problems`. Leaves out how a load
is sent, which the stack's config and the flags say.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import msgspec

from loadtest import github_event
from loadtest.github_event import Comment, Event, WorkflowRun

VARIABLES: Mapping[str, str] = {
    "GITHUB_TOKEN": "what the pull request's comment is posted with; needs `pull-requests: write`",
    "GITHUB_REPOSITORY": "owner/name of the repository the pull request belongs to",
    "GITHUB_EVENT_PATH": "the workflow's event, which names the pull request and its commit",
    "LOADPROOF_PULL_REQUEST": "the pull request's number, where there is no such event or another is meant",
    "LOADPROOF_COMMENT": (
        "when the pull request is commented on: always, changes (a good run alone starts no comment), never "
        "[always]"
    ),
    "LOADPROOF_JOB_STATUS": (
        "the workflow's job.status: after a failure that left no report the comment says that much"
    ),
    "GITHUB_API_URL": "where GitHub's API answers, for GitHub Enterprise [https://api.github.com]",
    "GITHUB_STEP_SUMMARY": "the file that becomes the workflow's job summary",
    "GITHUB_SHA": "the commit a report names, where the event names none",
    "GITHUB_SERVER_URL": "with the repository and GITHUB_RUN_ID: the address of the workflow run",
    "GITHUB_RUN_ID": "the workflow run's number",
    "TRIVY_DB_REPOSITORY": "where Trivy gets its database of vulnerabilities, if not where it does by itself",
}
_DEFAULT_API_URL = "https://api.github.com"


class CommentWhen(StrEnum):
    """By CHANGES a comment begins with the first run that is not good, and follows every run from then on."""

    ALWAYS = "always"
    CHANGES = "changes"
    NEVER = "never"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is not set is None."""

    github_token: str | None = field(default=None, repr=False)
    github_api_url: str = _DEFAULT_API_URL
    repository: str | None = None
    pull_request: int | None = None
    commit: str | None = None
    run_url: str | None = None
    workflow_run: WorkflowRun | None = None
    comment: Comment | None = None
    comment_when: CommentWhen = CommentWhen.ALWAYS
    step_summary: Path | None = None
    job_failed: bool = False
    trivy_db_repository: str | None = None
    problems: tuple[str, ...] = ()

    def secrets(self) -> tuple[str, ...]:
        """What must appear in no log."""
        return (self.github_token,) if self.github_token else ()


def read(environment: Mapping[str, str]) -> Settings:
    given = {name: environment.get(name, "").strip() or None for name in VARIABLES}
    problems: list[str] = []
    event = _event(given["GITHUB_EVENT_PATH"], problems)
    repository = _matching("GITHUB_REPOSITORY", given, r"[\w.-]+/[\w.-]+", "owner/name", problems)
    api_url = _matching("GITHUB_API_URL", given, r"https?://\S+", "a web address", problems)
    number = _matching(
        "LOADPROOF_PULL_REQUEST", given, r"[1-9][0-9]{0,9}", "a pull request's number", problems
    )
    when = _matching("LOADPROOF_COMMENT", given, "|".join(CommentWhen), " or ".join(CommentWhen), problems)
    ended = event.workflow_run
    return Settings(
        github_token=given["GITHUB_TOKEN"],
        github_api_url=api_url or _DEFAULT_API_URL,
        repository=repository,
        pull_request=int(number) if number else _pull_request(event),
        commit=_commit(event) or given["GITHUB_SHA"],
        run_url=_run_url(
            given["GITHUB_SERVER_URL"], repository, str(ended.id) if ended else given["GITHUB_RUN_ID"]
        ),
        workflow_run=ended,
        comment=event.comment,
        comment_when=CommentWhen(when) if when else CommentWhen.ALWAYS,
        step_summary=Path(given["GITHUB_STEP_SUMMARY"]) if given["GITHUB_STEP_SUMMARY"] else None,
        job_failed=given["LOADPROOF_JOB_STATUS"] == "failure",
        trivy_db_repository=given["TRIVY_DB_REPOSITORY"],
        problems=tuple(problems),
    )


def _matching(
    name: str, given: Mapping[str, str | None], pattern: str, rule: str, problems: list[str]
) -> str | None:
    value = given[name]
    if value is None or re.fullmatch(pattern, value):
        return value
    problems.append(f"{name} is {value!r}, it has to be {rule}")
    return None


def _event(path: str | None, problems: list[str]) -> Event:
    if path is None:
        return Event()
    try:
        return github_event.parse(Path(path).read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        problems.append(f"the event at GITHUB_EVENT_PATH cannot be read: {error}")
        return Event()


def _pull_request(event: Event) -> int | None:
    if event.pull_request:
        return event.pull_request.number
    return event.issue.number if event.issue and event.issue.pull_request is not None else None


def _commit(event: Event) -> str | None:
    """What was tested; the merge commit that GitHub makes of a pull request is nothing a reader knows."""
    if event.pull_request:
        return event.pull_request.head.sha
    return event.workflow_run.head_sha if event.workflow_run else None


def _run_url(server: str | None, repository: str | None, run_id: str | None) -> str | None:
    return f"{server}/{repository}/actions/runs/{run_id}" if server and repository and run_id else None
