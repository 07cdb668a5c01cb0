"""One cluster for every module here: a cluster costs more than all that is looked at in it."""

from collections.abc import Callable, Iterator
from typing import Any

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

    def with_settings(**settings: object) -> Workspace:
        workspace.stack_file.write_bytes(common)
        workspace.configure(**settings)
        before = workspace.containers()
        up = workspace.pulumi("up", "--yes", "--skip-preview")
        assert up.returncode == 0, up.stdout + up.stderr
        assert not before or set(before) == set(workspace.containers()), "a setting made another cluster"
        return workspace

    yield with_settings
    destroyed = workspace.loadtest("destroy")
    assert destroyed.returncode == 0, destroyed.stdout + destroyed.stderr
    workspace.assert_nothing_left()


@pytest.fixture
def report(loaded: Workspace) -> dict[str, Any]:
    """Of the run after which a module looks."""
    return loaded.report()


def after_a_run(stack: Workspace) -> Workspace:
    done = stack.loadtest("run")
    assert done.returncode == 0, done.stdout + done.stderr
    return stack


def echo_app(name: str, **settings: object) -> dict[str, object]:
    """One that answers with its name."""
    return {
        "name": name,
        "host": f"{name}.localhost",
        "image": "hashicorp/http-echo:1.0.0",
        "args": ["-listen=:5678", f"-text={name}"],
        "port": 5678,
        "expected_body": name,
        **settings,
    }
