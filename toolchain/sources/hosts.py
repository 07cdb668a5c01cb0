"""Which download hosts answer: all are asked at once, once in a run, so that silence costs seconds in all."""

from __future__ import annotations

import http.client
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Collection
from urllib.parse import urlsplit

_PATIENCE_S = 4.0


class Hosts:
    """Remembers for one run which origins (scheme, host and port) answer."""

    def __init__(self, addresses: Collection[str], *, patience_s: float = _PATIENCE_S) -> None:
        self._origins = frozenset(origin_of(address) for address in addresses)
        self._patience_s = patience_s
        self._answering: set[str] = set()
        self._reasons: dict[str, str] = {}
        self._asked = False
        self._guard = threading.Lock()

    def answers(self, address: str) -> bool:
        """Whether the address's host answered; the first question of a run waits for all hosts."""
        with self._guard:
            if not self._asked:
                self._ask_all()
                self._asked = True
        return origin_of(address) in self._answering

    def why_not(self, address: str) -> str:
        """What came instead of an answer, such as a certificate that is not trusted."""
        return self._reasons.get(origin_of(address), f"nothing came within {self._patience_s:g} s")

    def give_up(self, address: str, reason: str) -> None:
        """The host failed after all: nothing more is asked of it in this run."""
        self._reasons[origin_of(address)] = reason
        self._answering.discard(origin_of(address))

    def _ask_all(self) -> None:
        # Daemon threads, because a resolver that hangs cannot be interrupted: it is left behind.
        threads = [
            threading.Thread(target=self._ask, args=(origin,), daemon=True) for origin in self._origins
        ]
        for thread in threads:
            thread.start()
        deadline_s = time.monotonic() + self._patience_s
        for thread in threads:
            thread.join(max(0.0, deadline_s - time.monotonic()))
        self._answering = set(self._answering)  # a late answer goes to the old set and changes nothing

    def _ask(self, origin: str) -> None:
        answering = self._answering
        request = urllib.request.Request(origin + "/", method="HEAD")  # noqa: S310 - addresses are pinned
        try:
            with urllib.request.urlopen(request, timeout=self._patience_s):  # noqa: S310
                answering.add(origin)
        except urllib.error.HTTPError as error:
            error.close()
            answering.add(origin)
        except (OSError, ValueError, http.client.HTTPException) as error:
            self._reasons[origin] = reason_of(error)


def reason_of(error: Exception) -> str:
    """Why a request failed, in words; some errors of the network have none of their own."""
    reason = getattr(error, "reason", error)
    return str(reason).strip() or type(reason).__name__


def origin_of(address: str) -> str:
    """Scheme, host and port of an address."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
