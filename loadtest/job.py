"""What one call of the command line is asked to do, as one value."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from loadtest.artifacts import Artifacts
from loadtest.load_options import Flags
from loadtest.report.model import RunIdentity
from loadtest.settings import Settings

HEALTH_TIMEOUT_S = 180.0


@dataclass(frozen=True, kw_only=True)
class Job:
    """`load_flags` override the load of the stack's config, by the names that LoadOptions has."""

    project: Path
    stack: str
    artifacts: Artifacts
    health_timeout_s: float = HEALTH_TIMEOUT_S
    load_flags: Flags
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
