"""What integration tests share."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.fake_program import FakeProgram, fake_program


@pytest.fixture
def program(tmp_path: Path) -> FakeProgram:
    """A kubectl that answers as it is told."""
    return fake_program(tmp_path, "kubectl")


@pytest.fixture
def kubectl_on_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[dict[str, dict[str, object]]], None]:
    """Makes the given answers those of the first kubectl on PATH."""
    program = fake_program(tmp_path / "programs", "kubectl")
    monkeypatch.setenv("PATH", f"{program.folder}{os.pathsep}{os.environ['PATH']}")
    return program.answers
