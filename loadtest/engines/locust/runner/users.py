"""A user as a plan describes it: asks one of the apps at random, waits a random time, asks again.

Leaves out what becomes of the requests (`records`) and how many users there are (`__main__`).
"""

from itertools import count
from random import Random
from time import perf_counter, perf_counter_ns, time
from typing import Any, ClassVar

from gevent import Timeout
from locust import FastHttpUser, task
from locust.contrib.fasthttp import ResponseContextManager

from loadtest.engines.locust.runner.job import App, Job

# An answer of any status is an answer: it is read to its end and judged here.
_ANY_STATUS = frozenset(range(100, 600))


class PlannedUser(FastHttpUser):
    job: ClassVar[Job]
    _numbers = count()

    def __init__(self, environment: Any) -> None:  # noqa: ANN401 - locust's own, which it does not type
        # Longer than the time limit for a whole request, which alone is to decide.
        self.network_timeout = self.connection_timeout = self.job.timeout_s * 2
        super().__init__(environment)
        self.client.client.valid_response_codes = _ANY_STATUS  # type: ignore[misc]
        # S311: this is for repeating a run, no secret depends on it
        self._chance = Random(  # noqa: S311
            f"{self.job.seed}/{environment.runner.worker_index}/{next(self._numbers)}"
        )
        self._due_ns = perf_counter_ns()

    def wait_time(self) -> float:
        wait_s = self._chance.uniform(self.job.wait_min_s, self.job.wait_max_s)
        self._due_ns = perf_counter_ns() + int(wait_s * 1e9)
        return wait_s

    @task
    def ask(self) -> None:
        app = self._chance.choice(self.job.apps)
        started_s, started_unix_s = perf_counter(), time()
        try:
            with Timeout(self.job.timeout_s):
                response = self._get(app)
        except (
            ValueError
        ) as error:  # a content encoding nobody asked for: locust's client makes no event of it
            self.environment.events.request.fire(
                request_type="GET",
                name=app.host,
                url=f"{self.job.base_url}{app.path}",
                start_time=started_unix_s,
                response_time=(perf_counter() - started_s) * 1000,
                response_length=0,
                response=None,
                exception=error,
                context={"intended_ns": self._due_ns, "host": app.host},
            )
            return
        with response:
            _judge(response, app)

    def _get(self, app: App) -> ResponseContextManager:
        return self.client.get(
            app.path,
            name=app.host,
            headers={"Host": app.host, "Accept-Encoding": "identity"},
            context={"intended_ns": self._due_ns, "host": app.host},
            catch_response=True,
            allow_redirects=False,
        )


def _judge(response: ResponseContextManager, app: App) -> None:
    if response.request_meta["exception"] is not None:
        return
    if response.status_code // 100 != 2:
        response.failure(f"status {response.status_code}")
    elif (response.content or b"").strip() != app.expected_body.encode().strip():
        response.failure("another body than expected")
