"""Writes into another repository what it takes to measure its pull requests: workflows and a stack file.

Nothing is written where anything of it is there already, or where the stack file would not do.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from loadtest.adopt import stack_file, workflows
from loadtest.adopt.model import Adoption
from loadtest.errors import MachineError, UsageError

FOLDER = "loadproof"
"""Where the stack file stands in the other repository."""
_TIMEOUT_S = 60.0


def adopt(project: Path, into: Path, adoption: Adoption, *, force: bool) -> tuple[Path, ...]:
    """Raises UsageError where it cannot be done as asked; the value is the files that were written."""
    if not into.is_dir():
        raise UsageError(f"there is no folder {into}", hint="--into names the other repository's folder.")
    files = {into / name: text for name, text in _texts(project, adoption).items()}
    there = [str(file.relative_to(into)) for file in files if file.exists()]
    if there and not force:
        raise UsageError(
            f"{into} has these already: {', '.join(there)}", hint="--force writes them anew, edits are lost."
        )
    for file, text in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return tuple(files)


def _texts(project: Path, adoption: Adoption) -> dict[str, str]:
    name, stack = f"Pulumi.{adoption.stack}.yaml", stack_file.render(project, adoption)
    _refuse_unusable(project, name, stack, adoption.stack)
    written = workflows.render(project, adoption, folder=FOLDER)
    return {f"{FOLDER}/{name}": stack} | {f".github/workflows/{one}": text for one, text in written.items()}


def _refuse_unusable(project: Path, name: str, text: str, stack: str) -> None:
    """The program says what is wrong with a stack file, all of it."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / name).write_text(text, encoding="utf-8")
        try:
            told = subprocess.run(
                (sys.executable, "-m", "infra.needs", "--stack", stack, "--folder", folder),
                cwd=project,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_TIMEOUT_S,
            )
        except subprocess.TimeoutExpired as error:
            raise MachineError(f"the stack file was not checked within {_TIMEOUT_S:.0f} s") from error
    try:
        problems = msgspec.json.decode(told.stdout, type=_Told).problems
    except msgspec.DecodeError as error:
        raise MachineError("the stack file cannot be checked", hint=told.stderr.strip()[-2000:]) from error
    if problems:
        raise UsageError("the answers make no stack:\n" + "\n".join(f"  - {one}" for one in problems))


class _Told(msgspec.Struct):
    problems: tuple[str, ...]
