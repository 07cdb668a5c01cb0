"""What can go wrong while tools are got, each with what to do about it.

ToolchainError           the machine lacks something, or it could not be got (exit code 3)
├── WrongUseError        the command line or a file of the project does not make sense (exit code 2)
├── NotObtainableError   one way of getting a part does not lead to it; the next one may
├── WrongChecksumError   a download is not what the pins say: never passed over in favour of another way
└── CommandError         a command that was run for a part did not succeed
Interrupted              the user or the machine asked to stop (exit code 130)
"""

from __future__ import annotations

from typing import ClassVar


class ToolchainError(Exception):
    """A message says what and which value, the hint what to do next."""

    exit_code: ClassVar[int] = 3

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class WrongUseError(ToolchainError):
    """The command line or a file of the project does not make sense."""

    exit_code = 2


class NotObtainableError(ToolchainError):
    """This way does not lead to the part; another one may. The message is shown after the part's name."""


class WrongChecksumError(ToolchainError):
    """A download is not what the pins say."""


class CommandError(ToolchainError):
    """A command that was run for a part did not succeed."""


class Interrupted(BaseException):
    """The user or the machine asked to stop; no Exception, lest a handler of failures take it for one."""

    exit_code: ClassVar[int] = 130
