"""The only part that speaks to Prometheus; whatever goes wrong there becomes one MonitoringError.

Readings come from an instant query of a range vector, which gives the scraped readings with their own
timestamps; a range query would give made-up moments instead. Leaves out which queries to send.
"""

from collections.abc import Callable
from math import isfinite
from typing import Self, TypeVar

import msgspec
import requests
from prometheus_api_client import PrometheusConnect
from prometheus_api_client.exceptions import PrometheusApiClientException
from urllib3.util import Retry

from loadtest.errors import MonitoringError
from loadtest.monitoring.readings import RawSeries, Reading

_ERROR_CHARACTERS = 300
_Answer = TypeVar("_Answer")


class ScrapeTarget(msgspec.Struct, frozen=True, rename="camel"):
    """`health` is "up", "down" or, before the first scrape, "unknown"."""

    scrape_pool: str
    scrape_url: str
    health: str
    last_error: str = ""


class _Targets(msgspec.Struct, frozen=True, rename="camel"):
    active_targets: tuple[ScrapeTarget, ...]


class _Row(msgspec.Struct, frozen=True):
    metric: dict[str, str]
    values: tuple[tuple[float, str], ...]


class PrometheusClient:
    """One Prometheus by its address. `retries` repeats a call that was refused or answered 503."""

    def __init__(self, url: str, *, timeout_s: float = 5.0, retries: int = 2) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._session = requests.Session()
        self._session.trust_env = False  # what is on loopback is never reached through a proxy
        self._connect = PrometheusConnect(
            url,
            session=self._session,
            timeout=timeout_s,
            retry=Retry(
                connect=retries,
                status=retries,
                read=0,
                other=0,
                backoff_factor=0.1,
                status_forcelist=[503],
                raise_on_status=False,
            ),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def check_ready(self) -> None:
        """Raises MonitoringError where Prometheus is not ready to answer."""
        try:
            response = self._session.get(f"{self._url}/-/ready", timeout=self._timeout_s)
        except requests.RequestException as error:
            raise self._failed(error) from error
        if response.status_code != requests.codes.ok:
            raise self._failed(
                f"not ready: {response.status_code} {response.text.strip()[:_ERROR_CHARACTERS]}"
            )

    def targets(self) -> tuple[ScrapeTarget, ...]:
        """What Prometheus scrapes at present."""
        return self._answer(
            lambda: msgspec.convert(self._connect.get_targets(state="active"), _Targets).active_targets
        )

    def clock_s(self) -> float:
        """The time it is for Prometheus, in seconds of Unix time."""
        return self._answer(lambda: float(self._connect.custom_query("time()")[1]))

    def readings(self, query: str) -> tuple[RawSeries, ...]:
        """The readings of a range-vector query, as they were scraped, up to this moment."""
        return self._answer(
            lambda: tuple(map(_series, msgspec.convert(self._connect.custom_query(query), tuple[_Row, ...])))
        )

    def _answer(self, ask: Callable[[], _Answer]) -> _Answer:
        try:
            return ask()
        except (requests.RequestException, PrometheusApiClientException) as error:
            raise self._failed(error) from error
        except (KeyError, TypeError, ValueError) as error:
            raise self._failed(f"its answer is not what it documents: {error!r}") from error

    def _failed(self, reason: object) -> MonitoringError:
        return MonitoringError(
            f"Prometheus at {self._url} cannot be asked: {str(reason)[:_ERROR_CHARACTERS]}",
            hint="Is its pod running, and does the port lead to it?",
        )


def _series(row: _Row) -> RawSeries:
    values = [(at_s, float(text)) for at_s, text in row.values]
    readings = (Reading(at_s=at_s, value=value) for at_s, value in values if isfinite(value))
    return RawSeries(labels=row.metric, readings=tuple(readings))
