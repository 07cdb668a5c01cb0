"""One cluster for every module here: a cluster costs more than all that is looked at in it."""

from collections.abc import Callable, Iterator

import pytest

from tests.e2e.workspace import Workspace, make_workspace
from tests.ports import free_port

PutUp = Callable[..., Workspace]


@pytest.fixture(scope="package")
def put_up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PutUp]:
    """Makes a stack of these settings out of whatever is up, in the cluster of all, and waits for no pod."""
    workspace = make_workspace(tmp_path_factory.mktemp("project"))
    workspace.configure(
        cluster_workers=1,
        # Else up to 15 s pass before an autoscaler looks at what metrics-server saw up to 10 s before.
        cluster_autoscaling_sync_s=3,
        monitoring_grafana=True,
        monitoring_grafana_port=free_port(),
    )
    common = workspace.stack_file.read_bytes()
    clusters: set[tuple[str, ...]] = set()

    def with_settings(**settings: object) -> Workspace:
        workspace.stack_file.write_bytes(common)
        workspace.configure(**settings)
        up = workspace.pulumi("up", "--yes", "--skip-preview")
        assert up.returncode == 0, up.stdout + up.stderr
        clusters.add(tuple(sorted(workspace.containers())))
        assert len(clusters) == 1, "a setting made another cluster"
        return workspace

    yield with_settings
    destroyed = workspace.loadtest("destroy")
    assert destroyed.returncode == 0, destroyed.stdout + destroyed.stderr
    workspace.assert_nothing_left()
