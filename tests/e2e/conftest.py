"""Workspaces that are empty again at the end, whatever the test did."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.workspace import Workspace, make_workspace


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """One for a module's tests, which share what they put up in it."""
    yield from _workspace(tmp_path_factory.mktemp("project"))


@pytest.fixture
def own_workspace(tmp_path: Path) -> Iterator[Workspace]:
    """One for a test that ends its run by force."""
    yield from _workspace(tmp_path)


def _workspace(root: Path) -> Iterator[Workspace]:
    workspace = make_workspace(root)
    yield workspace
    if workspace.containers() or workspace.resources_in_state():
        done = workspace.loadtest("destroy")
        assert done.returncode == 0, done.stdout + done.stderr
