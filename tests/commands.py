"""Whether a command of the project's own, as a page or a workflow has it, is there: target, verb, flags."""

import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]


def problems_of_command(line: str) -> Iterator[str]:
    for target in re.findall(r"\bmake ([a-z][a-z-]*)", line.split("#")[0]):
        if target not in _targets():
            yield f"names `make {target}`, which is no target"
    if call := re.match(r"\s*python3? -m (loadtest|toolchain)(?: ([a-z]+))?(.*)", line.split("#")[0]):
        module, verb, rest = call.groups()
        help_text = _help(module, verb)
        if help_text is None:
            yield f"names `{module} {verb}`, which is no verb"
            return
        for flag in re.findall(r"(?<!\S)--[a-z][a-z0-9-]*", rest):
            if not re.search(rf"(?<![\w-]){flag}(?![\w-])", help_text):
                yield f"names {flag} of `{module} {verb}`, which is no flag of it"


@cache
def _targets() -> frozenset[str]:
    rules = re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    return frozenset(rules)


@cache
def _help(module: str, verb: str | None) -> str | None:
    command = (sys.executable, "-m", module, *([verb] if verb else []), "--help")
    told = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=60)
    return None if told.returncode else told.stdout
