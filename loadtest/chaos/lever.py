"""A shell on a node that does one thing when it is told to, and undoes it when it is told again.

It is ready before the moment comes, so that what it does takes some milliseconds. Where nobody is left to
tell it, because this program died, its input ends and it undoes what it did all the same. Leaves out which
node and what for.
"""

import subprocess
import threading
from dataclasses import dataclass

from loadtest.cluster.node_shell import knock, open_shell
from loadtest.errors import ChaosError

_ANSWER_S = 10.0
_ERROR_CHARACTERS = 300

# The program toolchain/go/packetdelay says the same.
_READY, _DONE, _UNDONE = "ready", "done", "undone"
_SCRIPT = f"""
set -e
%s
echo {_READY}
read -r _ || exit 0
%s
echo {_DONE}
read -r _ || :
%s
echo {_UNDONE}
"""


@dataclass(frozen=True, kw_only=True)
class Move:
    """Shell commands: what to find out before, what to do, how it is undone; they get arguments as `$@`."""

    prepare: str = ":"
    do: str
    undo: str = ":"

    @property
    def script(self) -> str:
        return _SCRIPT % (self.prepare, self.do, self.undo)


@dataclass(frozen=True, kw_only=True)
class ByProgram:
    """Shell commands that end in a program which does and undoes one thing as a lever's own script would."""

    script: str


class Lever:
    """Ready to be pulled. Raises ChaosError where the node does not let it, or does not answer in time."""

    def __init__(self, node: str, move: Move | ByProgram, *arguments: str) -> None:
        self._node = node
        self._pulled = False
        self._shell = open_shell(node, "sh", move.script, *arguments)
        try:
            self._expect(_READY)
        except ChaosError:
            self._end()
            raise

    def pull(self) -> None:
        try:
            knock(self._shell)
        except BrokenPipeError as error:
            raise self._failed("its shell is gone") from error
        self._expect(_DONE)
        self._pulled = True

    def release(self) -> None:
        """Undo what was done, if anything was; to be called in any case."""
        assert self._shell.stdin
        try:
            self._shell.stdin.close()
            if self._pulled:
                self._expect(_UNDONE)
            self._shell.wait(_ANSWER_S)
        except BrokenPipeError as error:
            raise self._failed("its shell is gone") from error
        except subprocess.TimeoutExpired as error:
            raise self._failed(f"its shell did not end within {_ANSWER_S:.0f} s") from error
        finally:
            self._end()

    def _expect(self, word: str) -> None:
        assert self._shell.stdout
        giving_up = threading.Timer(_ANSWER_S, self._shell.kill)
        giving_up.start()
        said: list[str] = []
        try:
            for line in self._shell.stdout:
                if line.strip() == word:
                    return
                said.append(line.strip())
        finally:
            giving_up.cancel()
        raise self._failed(" ".join(said)[-_ERROR_CHARACTERS:] or f"no answer within {_ANSWER_S:.0f} s")

    def _failed(self, why: str) -> ChaosError:
        return ChaosError(f"on node {self._node}: {why}")

    def _end(self) -> None:
        self._shell.kill()
        self._shell.wait()
        for stream in (self._shell.stdin, self._shell.stdout):
            if stream and not stream.closed:
                stream.close()
