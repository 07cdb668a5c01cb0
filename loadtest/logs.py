"""The run's own log: one JSON object a line in artifacts/logs/loadtest.jsonl, secrets left out."""

import logging
from collections.abc import Collection
from pathlib import Path

from pythonjsonlogger.json import JsonFormatter


class _Redaction(logging.Filter):
    """Replaces the run's secrets wherever a message or an argument repeats one."""

    def __init__(self, secrets: Collection[str]) -> None:
        super().__init__()
        self._secrets = [secret for secret in secrets if secret]

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        for secret in self._secrets:
            message = message.replace(secret, "[secret]")
        record.msg, record.args = message, ()
        return True


def log_to(file: Path, *, secrets: Collection[str] = ()) -> None:
    """Send this package's records to the file, appended; the root logger stays as it is."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(file)
    handler.setFormatter(JsonFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    handler.addFilter(_Redaction(secrets))
    package = logging.getLogger("loadtest")
    package.handlers = [handler]
    package.propagate = False
    package.setLevel(logging.DEBUG)
