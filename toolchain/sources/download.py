"""Downloads a part's official file, verifies it by SHA-256, and unpacks it.

A download that was cut goes on where it stopped, in this run and in the next. What does not have the right
sum is thrown away and is an error: it is never passed over in favour of another way.
"""

from __future__ import annotations

import hashlib
import http.client
import shutil
import ssl
import stat
import tarfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO
from urllib.parse import urlsplit

from toolchain.errors import NotObtainableError, WrongChecksumError
from toolchain.pins import Download, Part, Unpack
from toolchain.sources.hosts import Hosts, reason_of
from toolchain.sources.sums import sum_of

_HEADERS_TIMEOUT_S = 5.0
_ATTEMPTS = 3
"""So many in a row that bring nothing are one too many; what brings some bytes may go on."""
_PAUSE_S = 2.0
_CHUNK_BYTES = 1 << 18
_CHECKSUMS_LIMIT_BYTES = 1 << 24
_BROKEN = (http.client.HTTPException, TimeoutError, ConnectionError, ssl.SSLError)
"""What reading from a network raises; the bare OSError of a full disk is none of these."""


class _TransientError(Exception):
    """The host may do better when asked again; says what it did, after the host's name."""


class _StayEncrypted(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but never from https to anything less."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        if urlsplit(req.full_url).scheme == "https" and urlsplit(newurl).scheme != "https":
            raise urllib.error.URLError(f"refused: redirected to {newurl}, which is not encrypted")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


_OPENER = urllib.request.build_opener(_StayEncrypted)


def download(
    part: Part, pinned: Download, out: Path, *, downloads: Path, hosts: Hosts, report: Callable[[str], None]
) -> str:
    """Fill `out` from the part's official file; returns the file's address."""
    if not hosts.answers(pinned.url):
        raise NotObtainableError(
            f"{urlsplit(pinned.url).netloc} does not answer ({hosts.why_not(pinned.url)})",
            hint="check the network and HTTPS_PROXY",
        )
    downloads.mkdir(parents=True, exist_ok=True)
    sha256 = pinned.sha256 or _published_sum(part, pinned, downloads, hosts, report)
    file = downloads / sha256
    if not (file.exists() and _sha256(file) == sha256):
        _fetch(part, pinned.url, file, hosts=hosts, report=report)
    report("verifying")
    _verify(part, pinned, file, sha256)
    report("unpacking")
    unpack(part, file, out, part.unpack)
    file.unlink()
    return pinned.url


def _published_sum(
    part: Part, pinned: Download, downloads: Path, hosts: Hosts, report: Callable[[str], None]
) -> str:
    """The sum the publisher's own list gives for the file."""
    assert pinned.checksums is not None, "pins give a sum or where it stands"
    published = downloads / f"{part.name}.sums"
    published.unlink(missing_ok=True)  # no sum says whether what an earlier run left is part of this list
    _fetch(part, pinned.checksums, published, hosts=hosts, report=report)
    with published.open("rb") as source:
        text = source.read(_CHECKSUMS_LIMIT_BYTES).decode(errors="replace")
    published.unlink()
    if (sha256 := sum_of(pinned.url, text)) is not None:
        return sha256
    raise NotObtainableError(
        f"{pinned.checksums} has no sum for {pinned.url.rpartition('/')[2]}",
        hint="check the version in toolchain/pins.toml",
    )


def _fetch(part: Part, url: str, partial: Path, *, hosts: Hosts, report: Callable[[str], None]) -> None:
    most_bytes, fruitless = _size_bytes(partial), 0
    while True:
        what = "cut the download off"
        try:
            if _fetch_once(part, url, partial, hosts, report):
                return
        except _TransientError as error:
            what = str(error)
        got = _size_bytes(partial)
        most_bytes, fruitless = max(most_bytes, got), 0 if got > most_bytes else fruitless + 1
        if fruitless == _ATTEMPTS:
            raise NotObtainableError(
                f"{urlsplit(url).netloc} {what} {_ATTEMPTS} times (at {got:,} bytes)",
                hint="run the same again: it goes on where it stopped",
            )
        report(f"{what} after {got:,} bytes, trying again")
        if fruitless:
            time.sleep(_PAUSE_S)


def _fetch_once(part: Part, url: str, partial: Path, hosts: Hosts, report: Callable[[str], None]) -> bool:
    """Add what is missing to the partial file; returns whether it is whole."""
    have = _size_bytes(partial)
    with _open(part, url, hosts, start=have) as response:
        goes_on = response.status == http.HTTPStatus.PARTIAL_CONTENT
        got = have if goes_on else 0
        length = response.headers.get("Content-Length")
        expected = got + int(length) if length else None
        with partial.open("ab" if goes_on else "wb") as sink:
            for chunk in _chunks(response):
                sink.write(chunk)
                got += len(chunk)
                report(_amount(got, expected))
    return expected is None or got == expected


def _chunks(response: http.client.HTTPResponse) -> Iterator[bytes]:
    try:
        while chunk := response.read1(_CHUNK_BYTES):
            yield chunk
    except _BROKEN as error:
        raise _TransientError(f"cut the download off ({reason_of(error)})") from error


def _size_bytes(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _open(part: Part, url: str, hosts: Hosts, *, start: int = 0) -> http.client.HTTPResponse:
    headers = {"User-Agent": "loadproof-toolchain", **({"Range": f"bytes={start}-"} if start else {})}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - addresses are pinned
    try:
        response = _OPENER.open(request, timeout=_HEADERS_TIMEOUT_S)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and start:
            return _open(part, url, hosts)
        if error.code == http.HTTPStatus.TOO_MANY_REQUESTS or error.code >= 500:
            raise _TransientError(f"answered {error.code}") from error
        raise NotObtainableError(
            f"{url} answers {error.code}", hint="check the version in toolchain/pins.toml"
        ) from error
    except (urllib.error.URLError, *_BROKEN) as error:
        hosts.give_up(url, reason_of(error))
        raise NotObtainableError(
            f"{urlsplit(url).netloc} does not answer ({reason_of(error)})",
            hint="check the network and HTTPS_PROXY",
        ) from error
    assert isinstance(response, http.client.HTTPResponse)
    return response


def _verify(part: Part, pinned: Download, file: Path, sha256: str) -> None:
    actual = _sha256(file)
    if actual == sha256:
        return
    file.unlink()
    raise WrongChecksumError(
        f"{part.name}: what {pinned.url} sent has the SHA-256 {actual},\n"
        f"    wanted is {sha256}; it was thrown away",
        hint="run the same again; if it stays wrong, the file was changed upstream or on the way: "
        "do not use it, build the part instead (`--from build`)",
    )


def _sha256(file: Path) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def unpack(part: Part, file: Path, out: Path, how: Unpack) -> None:
    """Put a bare file or an archive's members where the part's row says."""
    target = out / how.into
    target.mkdir(parents=True, exist_ok=True)
    if how.file is not None:
        shutil.copyfile(file, target / how.file)
        (target / how.file).chmod(0o755)
        return
    try:
        for name, executable, content in _zip_files(file) if zipfile.is_zipfile(file) else _tar_files(file):
            _write(target, PurePosixPath(name).parts[how.strip :], content, executable=executable)
    except (tarfile.TarError, zipfile.BadZipFile) as error:
        raise NotObtainableError(
            f"the download is no archive that can be read ({error})",
            hint="build it: `--from build`",
        ) from error


def _tar_files(file: Path) -> Iterator[tuple[str, bool, IO[bytes]]]:
    """Name, whether it is executable, and content; links and devices have no business in these archives."""
    with tarfile.open(file) as archive:
        for member in archive:
            if member.isfile() and (content := archive.extractfile(member)) is not None:
                yield member.name, bool(member.mode & 0o100), content


def _zip_files(file: Path) -> Iterator[tuple[str, bool, IO[bytes]]]:
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            mode = member.external_attr >> 16  # none where the archive was not made on a Unix
            if not member.is_dir() and not stat.S_ISLNK(mode):
                yield member.filename, bool(mode & 0o100), archive.open(member)


def _write(target: Path, steps: tuple[str, ...], content: IO[bytes], *, executable: bool) -> None:
    with content:
        if not steps or ".." in steps or steps[0].startswith("/"):
            return
        file = target.joinpath(*steps)
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("wb") as sink:
            shutil.copyfileobj(content, sink)
        file.chmod(0o755 if executable else 0o644)


def _amount(got: int, expected: int | None) -> str:
    megabyte = 1_000_000
    return f"{got / megabyte:.0f} MB" + (f" of {expected / megabyte:.0f}" if expected else "")
