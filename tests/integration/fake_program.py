"""A stand-in for a program such as kubectl: it answers by its arguments, and notes what it was asked."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_SCRIPT = """#!{python}
import json, os, sys, time
from pathlib import Path
folder = Path(__file__).parent
arguments = sys.argv[1:]
settings = {{name: value for name, value in os.environ.items() if name.startswith("PULUMI_SKIP")}}
with (folder / "asked.jsonl").open("a") as asked:
    asked.write(json.dumps([os.getpid(), arguments, settings]) + "\\n")
line = " ".join(arguments)
for words, answer in json.loads((folder / "answers.json").read_text()).items():
    if words in line:
        if answer.get("reads"):
            (folder / "told").write_text(sys.stdin.read())
        print(answer.get("stdout", ""), end="", flush=True)
        print(answer.get("stderr", ""), end="", file=sys.stderr, flush=True)
        time.sleep(answer.get("stays_s", 0))
        sys.exit(answer.get("code", 0))
sys.exit("no answer is known to: " + line)
"""


@dataclass(frozen=True, kw_only=True)
class FakeProgram:
    folder: Path
    name: str

    @property
    def path(self) -> str:
        return str(self.folder / self.name)

    def answers(self, answers: Mapping[str, Mapping[str, object]]) -> None:
        """The first whose words stand in the call answer it: stdout, stderr, code, stays_s, reads."""
        (self.folder / "answers.json").write_text(json.dumps(answers))

    def asked(self) -> list[list[str]]:
        return [arguments for _, arguments, _ in self._calls()]

    def settings(self, name: str) -> dict[str, str | None]:
        """What the last call of each verb found as this setting of Pulumi's."""
        return {arguments[0]: environment.get(name) for _, arguments, environment in self._calls()}

    def told(self) -> str:
        """What the last call whose answer `reads` got on its stdin."""
        return (self.folder / "told").read_text()

    def process_ids(self) -> list[int]:
        return [process_id for process_id, _, _ in self._calls()]

    def _calls(self) -> list[tuple[int, list[str], dict[str, str]]]:
        file = self.folder / "asked.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def fake_program(folder: Path, name: str) -> FakeProgram:
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / name
    script.write_text(_SCRIPT.format(python=sys.executable))
    script.chmod(0o755)
    return FakeProgram(folder=folder, name=name)
