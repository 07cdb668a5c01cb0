"""What tests import is asked for by name in pyproject.toml, and not there by another package's grace.

Leaves out the program itself, part of which runs inside locust and with what locust brings.
"""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
OURS = {"infra", "loadtest", "toolchain", "bench", "tests"}
TOLD = tomllib.loads((PROJECT / "pyproject.toml").read_text())


def names(requirements: list[str]) -> set[str]:
    return {normal(re.split(r"[^\w.-]", one, maxsplit=1)[0]) for one in requirements}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def imported(folder: str) -> set[str]:
    modules: set[str] = set()
    for file in (PROJECT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules.add(node.module)
    return {module.partition(".")[0] for module in modules} - sys.stdlib_module_names - OURS


def not_asked_for(folders: set[str], asked: set[str]) -> set[str]:
    owners = packages_distributions()
    found = {module for folder in folders for module in imported(folder)}
    return {one for one in found if not asked & {normal(owner) for owner in owners.get(one, ())}}


def test_the_tests_import_what_they_ask_for() -> None:
    asked = names([*TOLD["project"]["dependencies"], *TOLD["dependency-groups"]["dev"]])
    assert set() == not_asked_for({"tests", "bench"}, asked)
