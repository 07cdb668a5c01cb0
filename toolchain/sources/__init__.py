"""The three ways to a part, in the order they are tried: found, downloaded, built."""

from __future__ import annotations

from enum import StrEnum


class Way(StrEnum):
    """How a part is got; the values are what `--from` takes, in the order they are tried."""

    FOUND = "found"
    DOWNLOAD = "download"
    BUILD = "build"

    @property
    def done(self) -> str:
        """The way in words, once the part is there."""
        words = {Way.FOUND: "found on this machine", Way.DOWNLOAD: "downloaded", Way.BUILD: "built"}
        return words[self]
