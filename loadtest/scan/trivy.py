"""Calls Trivy: the whole scan where it reaches its databases, else what it can do alone, which is said.

Leaves out what is to be thought of a finding.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from loadtest import process, records
from loadtest.artifacts import FINDINGS
from loadtest.errors import MachineError
from loadtest.process import ProgramFailedError
from loadtest.scan import sarif
from loadtest.scan.deployed import Deployed, deployed
from loadtest.security import Findings, PartFindings

_TIMEOUT_S = 600.0
_MADE_HERE = (".venv", ".toolchain", ".pulumi-state", ".kubeconfigs", "artifacts")
_REASON_LIMIT_CHARS = 300
_SILENT = (
    "--skip-version-check",
    "--disable-telemetry",
)  # one request serves both: only both together end it


@dataclass(frozen=True, kw_only=True)
class _Found:
    documents: tuple[dict[str, Any], ...] = ()
    left_out: tuple[str, ...] = ()


def scan(project: Path, stack: str, repository: Path, folder: Path) -> tuple[str, ...]:
    """Write a SARIF file of each of the three into the folder; the value says what was found and left out."""
    if not shutil.which("trivy"):
        raise MachineError("trivy is not on the PATH", hint="`make scan` gets the pinned one.")
    preview = ("pulumi", "preview", "--json", "--non-interactive", "--stack", stack)
    would_deploy = deployed(process.answer(preview, folder=project, timeout_s=_TIMEOUT_S))
    shutil.rmtree(folder, ignore_errors=True)
    manifests = _written(would_deploy, folder / "manifests")
    every = {
        "repository": _repository(repository),
        "manifests": _Found(documents=(_trivy("config", manifests),)),
        "images": _images(would_deploy.images, repository),
    }
    said = tuple(line for part, found in every.items() for line in _kept(folder, part, found))
    records.save(_counted(every), folder / FINDINGS)
    return said


def _counted(every: Mapping[str, _Found]) -> Findings:
    parts = (
        PartFindings(
            part=part,
            counts=sarif.by_severity(sarif.merged(found.documents)) if found.documents else None,
            left_out=found.left_out,
        )
        for part, found in every.items()
    )
    return Findings(scanned_at=datetime.now(UTC).isoformat(timespec="seconds"), parts=tuple(parts))


def _written(would_deploy: Deployed, folder: Path) -> Path:
    folder.mkdir(parents=True)
    for number, one in enumerate(would_deploy.objects):
        (folder / f"{number:03}-{one['kind']}.yaml").write_text(yaml.safe_dump(one), encoding="utf-8")
    return folder


def _repository(folder: Path) -> _Found:
    skipped = [f"--skip-dirs={name}" for name in _MADE_HERE]
    try:
        whole = _trivy("fs", folder, "--scanners=vuln,misconfig,secret", *skipped)
    except ProgramFailedError as error:
        alone = _trivy("fs", folder, "--scanners=misconfig,secret", "--skip-check-update", *skipped)
        return _Found(documents=(alone,), left_out=(f"vulnerabilities of packages: {_last_line(error)}",))
    return _Found(documents=(whole,))


def _images(images: Sequence[str], folder: Path) -> _Found:
    documents, left_out = [], []
    for image in images:
        try:
            documents.append(_trivy("image", folder, image=image))
        except ProgramFailedError as error:
            left_out.append(f"{image}: {_last_line(error)}")
    return _Found(documents=tuple(documents), left_out=tuple(left_out))


def _trivy(command: str, folder: Path, *flags: str, image: str | None = None) -> dict[str, Any]:
    arguments = ("trivy", command, "--quiet", *_SILENT, "--format=sarif", *flags, image or ".")
    printed = process.answer(arguments, folder=folder, timeout_s=_TIMEOUT_S)
    try:
        return dict(json.loads(printed))
    except ValueError as error:
        raise MachineError(f"`{' '.join(arguments)}` printed no SARIF: {error}") from error


def _kept(folder: Path, part: str, found: _Found) -> list[str]:
    left_out = [f"{part}: left out {one}" for one in found.left_out]
    if not found.documents:
        return left_out
    document = sarif.merged(found.documents)
    file = folder / f"{part}.sarif"
    file.write_text(json.dumps(document), encoding="utf-8")
    return [f"{part}: {sarif.count(document)} findings, in {file}", *left_out]


def _last_line(error: ProgramFailedError) -> str:
    return (error.hint.splitlines() or [error.message])[-1][:_REASON_LIMIT_CHARS]
