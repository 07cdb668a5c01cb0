"""A report that came as the artifact of another workflow run, which may have run anybody's code.

It is data: one file of bounded size, read by the schema or refused. What it says of itself (which pull
request, commit, stack and run it is of) is replaced by what the event says; its other words are outside text,
which the formats escape. That its figures are true nobody can tell: the comment says so.
"""

from dataclasses import replace
from pathlib import Path

import msgspec

from loadtest.artifacts import Artifacts
from loadtest.errors import UsageError
from loadtest.report import json_format
from loadtest.report.model import AnyReport
from loadtest.settings import Settings

LIMIT_BYTES = 5_000_000
NOTE = "🍴 Measured by a workflow that ran this pull request's own code: the figures are what that code says."


def read(folder: Path, *, stack: str, settings: Settings) -> AnyReport:
    """Raises UsageError where there is no such report."""
    report = json_format.parse(_content(Artifacts(root=folder).report("json")))
    run = replace(
        report.run,
        stack=stack,
        commit=settings.commit,
        repository=settings.repository,
        pull_request=settings.pull_request,
        run_url=settings.run_url,
    )
    return msgspec.structs.replace(report, run=run)


def _content(file: Path) -> bytes:
    if file.parent.is_symlink() or file.is_symlink() or not file.is_file():
        raise UsageError(
            f"the artifact holds no {file.name}", hint="The run it is of ended before its report."
        )
    with file.open("rb") as source:
        content = source.read(LIMIT_BYTES + 1)
    if len(content) > LIMIT_BYTES:
        raise UsageError(
            f"the artifact's {file.name} is larger than {LIMIT_BYTES:,} bytes", hint="A report is smaller."
        )
    return content
