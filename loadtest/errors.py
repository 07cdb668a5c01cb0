"""Every error this package raises on purpose; each carries a remedy and the exit code it leads to.

LoadTestError
├── UsageError         wrong flags or wrong configuration
├── MachineError       the machine lacks something: a tool, a port, disk space
├── DeployError        the stack did not come up
├── UnhealthyError     the stack came up and does not answer as it should
├── InconclusiveError  nothing can be said: no samples, or samples that cannot be trusted
├── MonitoringError    Prometheus could not be asked, or did not answer
├── ChaosError         what was to go wrong on purpose did not; never fails a run
├── DefectError        a fault of this program, whose traceback is in the log
├── PublishError       the comment or summary could not be posted; never fails a run
└── CleanupError       something is left behind

Other exceptions are defects: where one would end a run it becomes a DefectError. Only `console` prints.
"""

from pathlib import Path

from loadtest.exit_codes import ExitCode


class LoadTestError(Exception):
    """Something went wrong that a person can act on: `message` says what, `hint` what to do next."""

    exit_code: ExitCode = ExitCode.USAGE

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


class UsageError(LoadTestError):
    exit_code = ExitCode.USAGE


class MachineError(LoadTestError):
    exit_code = ExitCode.MACHINE


class DeployError(LoadTestError):
    exit_code = ExitCode.DEPLOY_FAILED


class UnhealthyError(LoadTestError):
    exit_code = ExitCode.UNHEALTHY


class InconclusiveError(LoadTestError):
    exit_code = ExitCode.INCONCLUSIVE


class MonitoringError(LoadTestError):
    exit_code = ExitCode.INCONCLUSIVE


class ChaosError(LoadTestError):
    exit_code = ExitCode.INCONCLUSIVE


class DefectError(LoadTestError):
    exit_code = ExitCode.INCONCLUSIVE

    def __init__(self, error: Exception, *, log: Path) -> None:
        super().__init__(
            f"a defect of this program: {type(error).__name__}: {error}",
            hint=f"Its traceback is in {log}; please report it.",
        )


class PublishError(LoadTestError):
    exit_code = ExitCode.PASSED


class CleanupError(LoadTestError):
    exit_code = ExitCode.CLEANUP_INCOMPLETE
