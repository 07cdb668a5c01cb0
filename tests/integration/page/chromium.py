"""Opens a page from the disk in a real browser and tells what it did: tree, console, requests."""

import json
import struct
import subprocess
import zlib
from dataclasses import dataclass
from pathlib import Path

import pytest

from toolchain.browser import browser

_TIMEOUT_S = 120.0
# The browser's own errands are no concern of these tests, and no name but the loopback's is known to it.
_ALONE = (
    "--headless=new",
    "--no-sandbox",  # which root may not have
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
_OF_THE_BROWSER_ITSELF = "not an origin"


@dataclass(frozen=True, kw_only=True)
class Opened:
    tree: str
    console: tuple[str, ...]
    requests: tuple[str, ...]


def opened(page: Path, *, width: int = 1200) -> Opened:
    log = page.with_suffix(".net.json")
    shown = _run(page, "--dump-dom", f"--log-net-log={log}", f"--window-size={width},900")
    return Opened(
        tree=shown.stdout,
        console=tuple(line for line in shown.stderr.splitlines() if ":CONSOLE" in line),
        requests=_requests(json.loads(log.read_text())),
    )


def pictured(page: Path, *, width: int, dark: bool = False) -> Path:
    """A screenshot beside the page."""
    name = f"{page.stem}-{width}-{'dark' if dark else 'light'}.png"
    picture = page.with_name(name)
    scheme = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
    _run(page, scheme, f"--window-size={width},1600", f"--screenshot={picture}")
    return picture


def corner_colour(picture: Path) -> tuple[int, int, int]:
    """The first pixel of a PNG, which no filter of its format changes."""
    content, position, packed = picture.read_bytes(), 8, b""
    while position < len(content):
        (size,) = struct.unpack_from(">I", content, position)
        if content[position + 4 : position + 8] == b"IDAT":
            packed += content[position + 8 : position + 8 + size]
        position += 12 + size
    red, green, blue = zlib.decompress(packed)[1:4]
    return red, green, blue


def _run(page: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = browser()
    if program is None:
        pytest.fail("there is no browser: `python3 -m toolchain setup --for test` says what to install")
    profile = page.parent / "profile"
    command = (program, *_ALONE, f"--user-data-dir={profile}", "--enable-logging=stderr", *arguments)
    return subprocess.run(
        (*command, page.as_uri()), capture_output=True, text=True, timeout=_TIMEOUT_S, check=True
    )


def _requests(log: dict[str, object]) -> tuple[str, ...]:
    """The addresses that were asked for by what the browser showed; from the disk none is."""
    constants, events = log["constants"], log["events"]
    assert isinstance(constants, dict)
    assert isinstance(events, list)
    start = constants["logEventTypes"]["URL_REQUEST_START_JOB"]
    begun = [one["params"] for one in events if one["type"] == start and "url" in one.get("params", {})]
    return tuple(one["url"] for one in begun if one.get("initiator") != _OF_THE_BROWSER_ITSELF)
