"""The one way out: standard output, which nothing else may write to.

Records come as JSON arrays, what else there is to tell as JSON objects with an `event`, a line each.
"""

import json
import os
import sys
from typing import BinaryIO


class Output:
    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def records(self, text: str) -> None:
        """One record or several lines of them; written at once, so that nothing is lost with the process."""
        self._stream.write(text.encode() + b"\n")
        self._stream.flush()

    def tell(self, event: str, **facts: object) -> None:
        self.records(json.dumps({"event": event, **facts}))


def take_standard_output() -> Output:
    """What locust, the locustfile or a library prints goes to standard error from now on."""
    private = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return Output(os.fdopen(private, "wb", buffering=0))
