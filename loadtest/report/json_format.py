"""report.json: the report itself, its way back, and the JSON Schema that others may rely on."""

import json
from pathlib import Path
from typing import cast

import msgspec

from loadtest.errors import UsageError
from loadtest.report.model import AnyReport

_TITLE = "loadproof report"


def render(report: AnyReport) -> str:
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"


def parse(text: str | bytes) -> AnyReport:
    """The report in a report.json. Raises UsageError where it is none, or one of another schema version."""
    try:
        return cast(AnyReport, msgspec.json.decode(text, type=AnyReport))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(
            f"this is not a report of the schema this version reads: {error}",
            hint="Give it the report.json of a run of the same version.",
        ) from error


def load(path: Path) -> AnyReport:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"there is no report to read at {path}: {error.strerror}",
            hint="`python -m loadtest run` writes one.",
        ) from error
    return parse(content)


def schema() -> str:
    """docs/report.schema.json, made from the model."""
    described = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": _TITLE}
    return json.dumps(described | msgspec.json.schema(AnyReport), indent=2, ensure_ascii=False) + "\n"
