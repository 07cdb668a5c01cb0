"""A program beside this one that prints lines until it ends, in a process group of its own.

Leaves out what the lines mean.
"""

import contextlib
import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

import loadtest
from loadtest.process import program_missing

_TAIL_LINES = 20
_LINE_CHARACTERS = 500


def own_modules() -> Mapping[str, str]:
    """The environment in which a Python finds this package, from whatever folder this program was started."""
    package_folder = str(Path(loadtest.__file__).parents[1])
    python_path = os.pathsep.join(filter(None, (package_folder, os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": python_path}


class Child:
    """It may notice our end by that of its standard input, on which nothing is ever written."""

    def __init__(
        self, arguments: Sequence[str], environment: Mapping[str, str], *, open_files: Sequence[int] = ()
    ) -> None:
        try:
            self._process = subprocess.Popen(
                arguments,
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                pass_fds=open_files,
            )
        except FileNotFoundError as error:
            raise program_missing(arguments[0]) from error
        self._said: deque[str] = deque(maxlen=_TAIL_LINES)
        self._listener = threading.Thread(target=self._listen, args=(self._process.stderr,), daemon=True)
        self._listener.start()

    def lines(self) -> Iterator[bytes]:
        """Standard output, until its end or `kill`."""
        yield from self._process.stdout or ()

    def exit_code(self) -> int:
        """Waits for the end."""
        code = self._process.wait()
        self._listener.join(timeout=1.0)
        return code

    def said(self) -> str:
        """The last lines of standard error."""
        return "\n".join(self._said)

    def cpu_s(self) -> float:
        """What the program used so far; 0 where the machine does not tell (no /proc), or no longer."""
        try:
            fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        user_and_system = fields[11:13]
        return sum(map(int, user_and_system)) / os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        """The whole group, at once. May be called at any time, from a signal's handler as well."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        self.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._listener.join(timeout=1.0)

    def _listen(self, stream: IO[bytes]) -> None:
        with stream:
            for line in stream:
                self._said.append(line[:_LINE_CHARACTERS].decode(errors="replace").rstrip())
