"""Where a run leaves its files: the names under the artifacts folder, in one place."""

import contextlib
import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Artifacts:
    """`root` is the folder; docs/artifacts.md says what each file holds."""

    root: Path

    @property
    def report_json(self) -> Path:
        return self.root / "report.json"

    @property
    def report_markdown(self) -> Path:
        return self.root / "report.md"

    @property
    def comment(self) -> Path:
        return self.root / "comment.md"

    @property
    def timings(self) -> Path:
        return self.root / "timings.json"

    @property
    def resources(self) -> Path:
        return self.root / "resources.json"

    @property
    def samples(self) -> Path:
        return self.root / "samples"

    @property
    def diagnostics(self) -> Path:
        return self.root / "diagnostics"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    def start_afresh(self) -> None:
        """Drop an earlier run's results, so that nothing old is ever taken for new; logs stay."""
        for file in (self.report_json, self.report_markdown, self.comment, self.timings, self.resources):
            file.unlink(missing_ok=True)
        for folder in (self.samples, self.diagnostics):
            with contextlib.suppress(FileNotFoundError):
                shutil.rmtree(folder)
        self.logs.mkdir(parents=True, exist_ok=True)
