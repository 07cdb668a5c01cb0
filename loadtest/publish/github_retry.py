"""When GitHub is worth asking again, and after how long: rate limits, server errors, lost connections.

Waiting is bounded: a cluster may be standing idle meanwhile. Leaves out what is asked.
"""

import logging
from collections.abc import Callable
from http import HTTPStatus

import github
import requests
from tenacity import RetryCallState, Retrying, retry_if_exception

logger = logging.getLogger(__name__)

_ATTEMPTS = 4
_LONGEST_WAIT_IN_ALL_S = 90.0
_DEFAULT_RATE_LIMIT_WAIT_S = 60.0  # what GitHub asks for where it names no time


def retrying(sleep: Callable[[float], None], now_unix_s: Callable[[], float]) -> Retrying:
    """Calls a function again after troubles that pass; the last error comes through as it is."""

    def before_next_s(state: RetryCallState) -> float:
        return wait_s(_failure(state), state.attempt_number, now_unix_s()) or 0.0

    return Retrying(
        retry=retry_if_exception(lambda error: wait_s(error, 1, now_unix_s()) is not None),
        wait=before_next_s,
        stop=_is_enough,
        before_sleep=lambda state: logger.info("asking GitHub again after: %s", _failure(state)),
        sleep=sleep,
        reraise=True,
    )


def wait_s(error: BaseException | None, attempt: int, now_unix_s: float) -> float | None:
    """How long to wait before the next attempt; None where another would be in vain."""
    match error:
        case requests.ConnectionError() | requests.Timeout():
            return 2.0 ** (attempt - 1)
        case github.GithubException() if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return 2.0 ** (attempt - 1)
        case github.GithubException() if is_rate_limit(error):
            return _rate_limit_wait_s(error.headers or {}, now_unix_s)
    return None


def is_rate_limit(error: github.GithubException) -> bool:
    """A 403 is a rate limit or a refusal; headers and, for the secondary limit, the message tell which."""
    headers = error.headers or {}
    return error.status == HTTPStatus.TOO_MANY_REQUESTS or (
        error.status == HTTPStatus.FORBIDDEN
        and (
            isinstance(error, github.RateLimitExceededException)
            or "retry-after" in headers
            or headers.get("x-ratelimit-remaining") == "0"
        )
    )


def _rate_limit_wait_s(headers: dict[str, str], now_unix_s: float) -> float:
    asked, reset = headers.get("retry-after", ""), headers.get("x-ratelimit-reset", "")
    if asked.isdecimal():
        return float(asked)
    if headers.get("x-ratelimit-remaining") == "0" and reset.isdecimal():
        return max(0.0, float(reset) - now_unix_s) + 1  # the reset may come at any time within its second
    return _DEFAULT_RATE_LIMIT_WAIT_S


def _is_enough(state: RetryCallState) -> bool:
    return state.attempt_number >= _ATTEMPTS or state.idle_for + state.upcoming_sleep > _LONGEST_WAIT_IN_ALL_S


def _failure(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None
