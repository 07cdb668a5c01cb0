"""The run's own log: lines of JSON in which no secret stands, wherever it came from."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtest.logs import log_to

SECRET = 'planted"secret'


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "logs" / "loadtest.jsonl"
    log_to(file, secrets=(SECRET,))
    yield file
    package = logging.getLogger("loadtest")
    for handler in package.handlers:
        handler.close()
    package.handlers, package.propagate = [], True


def lines(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_no_secret_stands_in_message_fields_or_traceback(log: Path) -> None:
    logger = logging.getLogger("loadtest.test")
    logger.info("message %s", SECRET)
    logger.info("field", extra={"arguments": [f"--token={SECRET}"]})
    logger.error("traceback", exc_info=ValueError(SECRET))

    assert "planted" not in log.read_text()
    message, field, traceback = lines(log)
    assert message["message"] == "message [secret]"
    assert field["arguments"] == ["--token=[secret]"]
    assert "ValueError: [secret]" in str(traceback["exc_info"])
