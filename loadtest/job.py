"""What one call of the command line is asked to do, as one value."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from loadtest.artifacts import Artifacts
from loadtest.report.model import RunIdentity
from loadtest.settings import Settings

HEALTH_TIMEOUT_S = 180.0


@dataclass(frozen=True, kw_only=True)
class Job:
    """`load_flags` holds what overrides the stack's load plan; None stands for a flag that was not given."""

    project: Path
    stack: str
    artifacts: Artifacts
    engine: str
    health_timeout_s: float = HEALTH_TIMEOUT_S
    load_flags: Mapping[str, int | float | None]
    settings: Settings

    def identity(self) -> RunIdentity:
        """Which run this is, as reports name it."""
        return RunIdentity(
            stack=self.stack,
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            commit=self.settings.commit,
            repository=self.settings.repository,
            pull_request=self.settings.pull_request,
            run_url=self.settings.run_url,
        )
