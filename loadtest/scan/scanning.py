"""The scan as a whole: what is looked at, in three parts, what was found in each, what could not be done."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import yaml

from loadtest import process, records
from loadtest.artifacts import FINDINGS
from loadtest.errors import DeployError, LoadTestError, MachineError, UsageError
from loadtest.process import ProgramFailedError
from loadtest.scan import database, explanations, manifests, sarif, trivy_report
from loadtest.scan.deployed import Deployed, deployed
from loadtest.scan.explanations import Explanation, Explanations
from loadtest.scan.manifests import Manifests
from loadtest.scan.trivy import Trivy
from loadtest.scan.trivy_report import Seen
from loadtest.security import SEVERE, Findings, PartFindings

_PREVIEW_TIMEOUT_S = 600.0
_MADE_HERE = (
    *(".venv", ".toolchain", ".pulumi-state", ".kubeconfigs", "artifacts"),
    *(".mypy_cache", ".ruff_cache", ".pytest_cache", ".import_linter_cache", ".hypothesis"),
)
_REASON_LIMIT_CHARS = 300
_MOST_SEVERE = 20


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What is to be scanned, and where it is written to."""

    project: Path
    stacks: tuple[str, ...]
    repository: Path
    folder: Path
    database_repository: str | None = None

    def leaves_out_stacks(self) -> bool:
        """Of a repository that brings its own stacks, at its top or as `loadtest init` does in a folder."""
        files = (file for where in ("", "*/") for file in self.repository.glob(f"{where}Pulumi.*.yaml"))
        every = {file.stem.removeprefix("Pulumi.") for file in files}
        return not every <= {*self.stacks}


@dataclass(frozen=True, kw_only=True)
class Scanned:
    """`stale` are explanations of what is not found any more."""

    findings: Findings
    stale: tuple[Explanation, ...]

    @property
    def is_clean(self) -> bool:
        severe = (part.counts or {} for part in self.findings.parts)
        return not self.stale and not any(counts.get(one) for counts in severe for one in SEVERE)


@dataclass(frozen=True, kw_only=True)
class _Part:
    name: str
    seen: tuple[Seen, ...] = ()
    left_out: tuple[str, ...] = ()


def scan(scope: Scope) -> Scanned:
    """Leaves a SARIF file of each part in the folder, Trivy's own reports, and `findings.json`."""
    if not shutil.which("trivy"):
        raise MachineError("trivy is not on the PATH", hint="`make scan` gets the pinned one.")
    if not scope.repository.is_dir():
        raise UsageError(f"there is no folder {scope.repository} to scan", hint="Name one that is there.")
    shutil.rmtree(scope.folder, ignore_errors=True)
    accepted = explanations.read(scope.project, scope.repository)
    would_deploy = {stack: _deployed(scope.project, stack) for stack in scope.stacks}
    trivy, no_database = _trivy(scope, accepted)
    parts = (
        _repository(trivy, scope.repository),
        _manifests(trivy, manifests.write(would_deploy, scope.folder / "manifests", scope.project)),
        _images(trivy, sorted({image for one in would_deploy.values() for image in one.images})),
    )
    for part in parts:
        _save_sarif(part, scope.folder)
    found = tuple(_findings(part, no_database) for part in parts)
    findings = Findings(scanned_at=datetime.now(UTC).isoformat(timespec="seconds"), parts=found)
    records.save(findings, scope.folder / FINDINGS)
    stale = () if scope.leaves_out_stacks() else _stale(accepted, parts, trivy)
    return Scanned(findings=findings, stale=stale)


def _deployed(project: Path, stack: str) -> Deployed:
    # A stack that is up would deploy the same once more, which the engine else keeps to itself.
    preview = ("pulumi", "preview", "--json", "--show-sames", "--non-interactive", "--stack", stack)
    try:
        return deployed(process.answer(preview, folder=project, timeout_s=_PREVIEW_TIMEOUT_S))
    except ProgramFailedError as error:
        raise DeployError(
            f"stack {stack} cannot be previewed",
            hint=error.hint or f"`pulumi preview --stack {stack}` says why.",
        ) from error


def _trivy(scope: Scope, accepted: Explanations) -> tuple[Trivy, str]:
    """Trivy, and why it is without its database, if so."""
    file = scope.folder / "explanations.yaml"
    reports = scope.folder / "trivy"
    reports.mkdir(parents=True)
    file.write_text(yaml.safe_dump(accepted.entries), encoding="utf-8")
    cache = scope.project / ".toolchain" / "trivy"
    cache.mkdir(parents=True, exist_ok=True)
    trivy = Trivy(cache=cache, reports=reports, explanations=file, with_database=False)
    if why := database.out_of_reach(scope.database_repository):
        return trivy, why
    try:
        trivy.get_database()
    except MachineError as error:
        return trivy, _last_line(error)
    return replace(trivy, with_database=True), ""


def _repository(trivy: Trivy, folder: Path) -> _Part:
    skipped = (f"--skip-dirs={name}" for name in _MADE_HERE)
    seen = trivy.files("repository", folder, *skipped, scanners="misconfig,secret")
    return _Part(name="repository", seen=(seen,))


def _manifests(trivy: Trivy, written: Manifests) -> _Part:
    objects = trivy.files("objects", written.objects, scanners="misconfig")
    charts = (
        trivy.files(
            f"chart-{folder.name}",
            folder,
            f"--helm-values={manifests.VALUES}",
            scanners="misconfig",
            of=f"{stack}/",
        )
        for stack, folder in written.charts
    )
    return _Part(name="manifests", seen=(objects, *charts), left_out=written.left_out)


def _images(trivy: Trivy, images: Sequence[str]) -> _Part:
    seen, left_out = [], []
    for number, image in enumerate(images):
        try:
            seen.append(trivy.image(f"image-{number}", image))
        except ProgramFailedError as error:
            left_out.append(f"{image} ({_last_line(error)})")
    return _Part(name="images", seen=tuple(seen), left_out=tuple(left_out))


def _findings(part: _Part, no_database: str) -> PartFindings:
    findings = tuple(one for seen in part.seen for one in seen.findings)
    severe = sorted(
        (one for one in findings if one.severity in SEVERE), key=lambda one: SEVERE.index(one.severity)
    )
    vulnerabilities = (
        (f"vulnerabilities ({no_database})",) if no_database and part.name != "manifests" else ()
    )
    return PartFindings(
        part=part.name,
        counts=trivy_report.by_severity(findings) if part.seen else None,
        explained=sum(len(seen.explained) for seen in part.seen),
        severe=tuple(severe[:_MOST_SEVERE]),
        left_out=(*vulnerabilities, *part.left_out),
    )


def _stale(accepted: Explanations, parts: Sequence[_Part], trivy: Trivy) -> tuple[Explanation, ...]:
    """Of a kind that was not looked for everywhere nobody knows."""
    _, charts, images = (not part.left_out for part in parts)
    everywhere = {
        "misconfigurations": charts,
        "secrets": images,
        "vulnerabilities": images and trivy.with_database,
    }
    kinds = {kind for kind, looked_for in everywhere.items() if looked_for}
    statements = [words for part in parts for seen in part.seen for words in seen.explained]
    return accepted.stale(statements, kinds)


def _save_sarif(part: _Part, folder: Path) -> None:
    if part.seen:
        document = sarif.merged(seen.sarif for seen in part.seen)
        (folder / f"{part.name}.sarif").write_text(json.dumps(document), encoding="utf-8")


def _last_line(error: LoadTestError) -> str:
    return (error.hint.splitlines() or [error.message])[-1].strip(" *\t")[:_REASON_LIMIT_CHARS]
