"""The run's own log: one JSON object a line in artifacts/logs/loadtest.jsonl, secrets left out."""

import json
import logging
from collections.abc import Collection
from pathlib import Path

from pythonjsonlogger.json import JsonFormatter


class _RedactingFormatter(JsonFormatter):
    """Replaces the run's secrets in the finished line: message, fields and traceback alike."""

    def __init__(self, secrets: Collection[str]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")
        # As they stand in a line of JSON.
        self._secrets = [json.dumps(secret)[1:-1] for secret in secrets if secret]

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        for secret in self._secrets:
            line = line.replace(secret, "[secret]")
        return line


def log_to(file: Path, *, secrets: Collection[str] = ()) -> None:
    """Send this package's records to the file, appended; the root logger stays as it is."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(file)
    handler.setFormatter(_RedactingFormatter(secrets))
    package = logging.getLogger("loadtest")
    package.handlers = [handler]
    package.propagate = False
    package.setLevel(logging.DEBUG)
