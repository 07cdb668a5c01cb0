"""The second stack on a real cluster: behind Traefik, loaded by users who wait, with an app built here."""

import json
import subprocess
from collections.abc import Iterator

import pytest
import yaml

from tests.e2e.workspace import Workspace, wait_until

pytestmark = pytest.mark.cluster

ECHO = "hashicorp/http-echo:1.0.0"  # in the engine since the node image was made with it


@pytest.fixture
def image() -> Iterator[str]:
    """The name of an image that no registry has."""
    name = "loadproof-e2e/echo:1"
    yield name
    subprocess.run(("docker", "image", "rm", "--force", name), check=True, capture_output=True)


def test_the_stack_behind_traefik_runs_what_was_built_on_this_machine(
    own_workspace: Workspace, image: str
) -> None:
    workspace = own_workspace
    first = _build(workspace, image, version="1")
    _configure(workspace, image)
    _up(workspace)
    _users_get_right_answers_from_every_host(workspace)
    before = _running(workspace)
    assert set(before) == {first}

    second = _build(workspace, image, version="2")
    _up(workspace)
    wait_until(
        lambda: set(_running(workspace)) == {second}, timeout_s=60, what="pods of the image built anew"
    )
    assert _running(workspace)[second] != before[first], "the pods run another image, not only its name"

    _a_controller_that_is_up_and_routes_nothing_is_not_healthy(workspace)
    destroyed = workspace.loadtest("destroy")
    assert destroyed.returncode == 0, destroyed.stdout + destroyed.stderr
    workspace.assert_nothing_left()


def _build(workspace: Workspace, image: str, *, version: str) -> str:
    """An image's id: the same app every time, and yet another image."""
    built = subprocess.run(
        ("docker", "build", "--quiet", "--network=none", "--tag", image, "-"),
        input=f"FROM {ECHO}\nLABEL version={version}\n",
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert built.returncode == 0, built.stderr
    return built.stdout.strip()


def _configure(workspace: Workspace, image: str) -> None:
    own = yaml.safe_load(workspace.stack_file.read_text())["config"]
    here = {name: own[f"loadproof:{name}"] for name in ("cluster_name", "ingress_port", "monitoring_port")}
    workspace.stack_file.write_bytes((workspace.root / "Pulumi.traefik.yaml").read_bytes())
    foo, bar = yaml.safe_load(workspace.stack_file.read_text())["config"]["loadproof:apps"]
    workspace.configure(**here, apps=[{**foo, "image": image, "replicas": 1}, bar])


def _up(workspace: Workspace) -> None:
    up = workspace.pulumi("up", "--yes", "--skip-preview")
    assert up.returncode == 0, up.stdout + up.stderr


def _users_get_right_answers_from_every_host(workspace: Workspace) -> None:
    run = workspace.loadtest("run", "--users", "20", "--spawn-rate", "20", "--duration", "2")
    assert run.returncode == 0, run.stdout + run.stderr
    report = workspace.report()
    assert report["ingress"]["controller"] == "traefik"
    assert report["verdict"]["status"] == "passed"
    hosts = report["summary"]["arms"][0]["hosts"]
    assert set(hosts) == {"foo.localhost", "bar.localhost"}
    assert all(one["succeeded"] == one["requests"] > 0 for one in hosts.values()), hosts
    (ingress,) = [one for one in report["resources"]["scopes"] if one["scope"] == "ingress"]
    assert ingress["cpu_seconds"] is not None, "what carries the traffic is measured"


def _running(workspace: Workspace) -> dict[str, str]:
    """By the image that foo's pods were made for, the one they run; several while some are ending."""
    selected = ("get", "pods", "--selector", "app.kubernetes.io/name=foo")
    pods = json.loads(_kubectl(workspace, "--namespace", "apps", *selected, "--output", "json"))["items"]
    return {
        pod["metadata"]["annotations"]["loadproof/image"]: container["imageID"]
        for pod in pods
        for container in pod["status"].get("containerStatuses", [])
    }


def _a_controller_that_is_up_and_routes_nothing_is_not_healthy(workspace: Workspace) -> None:
    """The planted fault: an Ingress of another class, which leaves Traefik without a route."""
    other = json.dumps({"spec": {"ingressClassName": "other"}})
    _kubectl(workspace, "--namespace", "apps", "patch", "ingress", "apps", "--patch", other)
    selected = ("get", "pods", "--selector", "app.kubernetes.io/name=traefik", "--output", "name")
    pod = _kubectl(workspace, "--namespace", "traefik", *selected).strip()
    ping = f"/api/v1/namespaces/traefik/{pod.replace('pod/', 'pods/')}:8080/proxy/ping"
    assert _kubectl(workspace, "get", "--raw", ping) == "OK", "it says of itself that all is well"
    run = workspace.loadtest("run", "--health-timeout", "3")
    assert run.returncode == 5, run.stdout + run.stderr
    assert "404" in run.stderr, "the reason is what a client would have got"


def _kubectl(workspace: Workspace, *command: str) -> str:
    told = workspace.run("kubectl", "--kubeconfig", str(workspace.kubeconfig), *command)
    assert told.returncode == 0, told.stderr
    return told.stdout
