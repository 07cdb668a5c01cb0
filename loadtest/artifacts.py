"""Where a run leaves its files: the names under the artifacts folder, in one place."""

import contextlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

REPORT_FILES: Mapping[str, str] = {
    "json": "report.json",
    "markdown": "report.md",
    "comment": "comment.md",
    "page": "report.html",
}


FINDINGS = "findings.json"


@dataclass(frozen=True, kw_only=True)
class Artifacts:
    """`root` is the folder; docs/artifacts.md says what each file holds."""

    root: Path

    @property
    def run(self) -> Path:
        return self.root / "run.json"

    def report(self, report_format: str) -> Path:
        """The file of one of `loadtest.report.FORMATS`."""
        return self.root / REPORT_FILES[report_format]

    @property
    def timings(self) -> Path:
        return self.root / "timings.json"

    @property
    def two_runs(self) -> Path:
        """Two runs side by side, whosever they are."""
        return self.root / "compare.html"

    @property
    def monitor(self) -> Path:
        """What `monitor` measured, which has nothing to do with a load."""
        return self.root / "monitor.json"

    @property
    def resources(self) -> Path:
        return self.root / "resources.json"

    @property
    def chaos(self) -> Path:
        """What was made to go wrong during the load, and when."""
        return self.root / "chaos.json"

    @property
    def samples(self) -> Path:
        return self.root / "samples"

    @property
    def diagnostics(self) -> Path:
        return self.root / "diagnostics"

    @property
    def scan(self) -> Path:
        """What Trivy found, and the manifests it looked at."""
        return self.root / "scan"

    @property
    def findings(self) -> Path:
        """The same by severity, in numbers."""
        return self.scan / FINDINGS

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def log(self) -> Path:
        """This program's own log; what other programs print stands in files beside it."""
        return self.logs / "loadtest.jsonl"

    def start_afresh(self) -> None:
        """Drop an earlier run's results, so that nothing old is ever taken for new; logs stay."""
        for file in (*map(self.report, REPORT_FILES), self.run, self.resources, self.chaos, self.timings):
            file.unlink(missing_ok=True)
        for folder in (self.samples, self.diagnostics):
            with contextlib.suppress(FileNotFoundError):
                shutil.rmtree(folder)
        self.logs.mkdir(parents=True, exist_ok=True)
