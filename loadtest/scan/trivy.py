"""Calls Trivy, for one thing at a time: the report it makes, and the same as SARIF.

Leaves out what is looked at, and what is to be thought of a finding.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from loadtest import process
from loadtest.errors import MachineError
from loadtest.scan import trivy_report
from loadtest.scan.trivy_report import Seen

_TIMEOUT_S = 600.0
# One request serves both: only both together end it.
_SILENT = ("--skip-version-check", "--disable-telemetry")
# A repository may have one, which would hide findings without a reason, or change exit codes.
_NO_CONFIGURATION = f"--config={os.devnull}"
# Those of the pinned version, so that a scan says the same wherever and whenever it is made.
_BUILT_IN_CHECKS = "--skip-check-update"
_VULNERABILITIES = "vuln"


@dataclass(frozen=True, kw_only=True)
class Trivy:
    """`reports` is a folder for what it prints, `cache` one for what it keeps from scan to scan."""

    cache: Path
    reports: Path
    explanations: Path
    with_database: bool

    def get_database(self) -> None:
        """Raises ProgramFailedError where it cannot be had, MachineError where it takes too long."""
        self._ask("image", "--download-db-only", folder=self.cache.parent)

    def files(self, name: str, folder: Path, *flags: str, scanners: str, of: str = "") -> Seen:
        """Everything in a folder; `of` goes before the name of each of its files."""
        return self._see("fs", name, ".", *flags, folder=folder, scanners=scanners, of=of)

    def image(self, name: str, image: str) -> Seen:
        flags = ("--image-config-scanners=secret",)
        return self._see(
            "image", name, image, *flags, folder=self.reports, scanners="secret", of=f"{image}: "
        )

    def _see(
        self, command: str, name: str, target: str, *flags: str, folder: Path, scanners: str, of: str
    ) -> Seen:
        text = self._ask(
            command,
            "--format=json",
            "--show-suppressed",
            f"--ignorefile={self.explanations}",
            f"--scanners={f'{_VULNERABILITIES},{scanners}' if self.with_database else scanners}",
            _BUILT_IN_CHECKS,
            *flags,
            target,
            folder=folder,
        )
        file = self.reports / f"{name}.json"
        file.write_text(text, encoding="utf-8")
        # Not in the folder, whose `.trivyignore` would count here and does not above.
        sarif = self._ask("convert", "--format=sarif", file.name, folder=self.reports)
        try:
            return trivy_report.read(text, dict(json.loads(sarif)), of=of)
        except ValueError as error:
            raise MachineError(f"`trivy convert` printed no SARIF: {error}") from error

    def _ask(self, command: str, *flags: str, folder: Path) -> str:
        always = ("--quiet", _NO_CONFIGURATION, f"--cache-dir={self.cache}")
        arguments = ("trivy", command, *always, *(_SILENT if command != "convert" else ()), *flags)
        return process.answer(arguments, folder=folder, timeout_s=_TIMEOUT_S)
