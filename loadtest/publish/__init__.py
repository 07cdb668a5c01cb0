"""Where a report goes: the pull request's comment and the workflow's job summary.

Publishing never fails a run: whatever goes wrong becomes a sentence for the reader.
"""

import logging
from collections.abc import Callable, Sequence

from loadtest.errors import PublishError
from loadtest.publish import job_summary
from loadtest.settings import Settings

logger = logging.getLogger(__name__)


def publish(*, comment: str, marker: str, summary: str, settings: Settings) -> tuple[str, ...]:
    """Post to every place the environment names; the value says of each what became of it."""
    attempts: Sequence[Callable[[], str]] = (
        lambda: _post_comment(comment, marker, settings),
        *((lambda: job_summary.append(path, summary),) if (path := settings.step_summary) else ()),
    )
    return settings.problems + tuple(_outcome(attempt) for attempt in attempts)


def _post_comment(comment: str, marker: str, settings: Settings) -> str:
    token, repository, number = settings.github_token, settings.repository, settings.pull_request
    if token is None or repository is None or number is None:
        raise PublishError(f"no comment posted: {', '.join(_missing(settings))} not given")
    from loadtest.publish import github  # a quarter of a second that most runs need not spend

    place = github.CommentPlace(
        api_url=settings.github_api_url, token=token, repository=repository, pull_request=number
    )
    return github.post(place, comment, marker)


def _missing(settings: Settings) -> list[str]:
    needed = {
        "GITHUB_TOKEN": settings.github_token,
        "GITHUB_REPOSITORY": settings.repository,
        "a pull request (GITHUB_EVENT_PATH or LOADPROOF_PULL_REQUEST)": settings.pull_request,
    }
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
