"""What Prometheus answers, in the form its HTTP API documents."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from loadtest.monitoring.queries import Metric
from loadtest.monitoring.readings import RawSeries
from tests.integration.loopback import Answer, Asked


def success(data: Any) -> Answer:
    return Answer(body=json.dumps({"status": "success", "data": data}).encode())


def failure(status: int, kind: str, message: str) -> Answer:
    document = {"status": "error", "errorType": kind, "error": message}
    return Answer(status=status, body=json.dumps(document).encode())


def matrix(rows: Sequence[RawSeries]) -> Answer:
    result = [
        {"metric": dict(row.labels), "values": [[one.at_s, str(one.value)] for one in row.readings]}
        for row in rows
    ]
    return success({"resultType": "matrix", "result": result})


def targets(*active: Mapping[str, str]) -> Answer:
    return success({"activeTargets": list(active), "droppedTargets": []})


def scraped(health: str, last_error: str = "", pool: str = "cadvisor") -> dict[str, str]:
    return {
        "scrapePool": pool,
        "scrapeUrl": "https://10.0.0.2:10250/metrics/cadvisor",
        "health": health,
        "lastError": last_error,
    }


def clock(now_s: float) -> Answer:
    return success({"resultType": "scalar", "result": [now_s, str(now_s)]})


def answer_from(readings: Mapping[Metric, Sequence[RawSeries]], asked: Asked) -> Answer:
    """The readings of the metric that was asked for, or the time it is."""
    query = asked.parameters["query"]
    if query == "time()":
        return clock(time.time())
    metric = next(metric for metric in Metric if query.startswith(metric.value + "["))
    return matrix(readings[metric])
