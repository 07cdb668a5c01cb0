"""Workspaces that are empty again at the end, whatever the test did; modules that share a cluster."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.e2e.workspace import Workspace, make_workspace


class ByCluster(LoadScopeScheduling):
    """A module's tests in one process, and so those of the modules that share a cluster."""

    def _split_scope(self, nodeid: str) -> str:
        return "one_cluster" if "/one_cluster/" in nodeid else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByCluster:
    return ByCluster(config, log)


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
