"""A report that came as the artifact of another workflow run, which may have run anybody's code.

It is data: one file of bounded size, read out of the archive as it came, by the schema or refused. Nothing is
ever unpacked, so that no name and no link in the archive leads anywhere. What it says of itself (which pull
request, commit, stack and run it is of) is replaced by what the event says; its other words are outside text,
which the formats escape. That its figures are true nobody can tell: the comment says so.
"""

import zipfile
import zlib
from dataclasses import replace
from pathlib import Path

import msgspec

from loadtest.artifacts import REPORT_FILES
from loadtest.errors import UsageError
from loadtest.report import json_format
from loadtest.report.model import AnyReport
from loadtest.settings import Settings

LIMIT_BYTES = 5_000_000
ARCHIVE_LIMIT_BYTES = 100_000_000
_REPORT = REPORT_FILES["json"]
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
NOTE = "🍴 Measured by a workflow that ran this pull request's own code: the figures are what that code says."


def read(folder: Path, *, stack: str, settings: Settings) -> AnyReport:
    """Of the archive that is alone in the folder. Raises UsageError where there is no such report."""
    report = json_format.parse(_content(_archive(folder)))
    run = replace(
        report.run,
        stack=stack,
        commit=settings.commit,
        repository=settings.repository,
        pull_request=settings.pull_request,
        run_url=settings.run_url,
    )
    return msgspec.structs.replace(report, run=run)


def _archive(folder: Path) -> Path:
    there = sorted(folder.iterdir()) if folder.is_dir() and not folder.is_symlink() else []
    if len(there) != 1 or there[0].is_symlink() or not there[0].is_file():
        raise UsageError(
            f"no artifact was received in {folder}",
            hint="The run it is of ended before its artifact was kept.",
        )
    if there[0].stat().st_size > ARCHIVE_LIMIT_BYTES:
        raise UsageError(
            f"the artifact is larger than {ARCHIVE_LIMIT_BYTES:,} bytes", hint="That of a run is smaller."
        )
    return there[0]


def _content(archive: Path) -> bytes:
    try:
        with zipfile.ZipFile(archive) as packed:
            report = packed.getinfo(_REPORT)
            if report.compress_type not in _PACKED:
                raise UsageError(f"the artifact's {_REPORT} is packed in a way that no run packs it")
            with packed.open(report) as source:
                content = source.read(LIMIT_BYTES + 1)
    except KeyError as error:
        raise UsageError(
            f"the artifact holds no {_REPORT}", hint="The run it is of ended before its report."
        ) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, OSError) as error:
        raise UsageError(f"the artifact cannot be read: {error}") from error
    if len(content) > LIMIT_BYTES:
        raise UsageError(
            f"the artifact's {_REPORT} is larger than {LIMIT_BYTES:,} bytes", hint="A report is smaller."
        )
    return content
