"""The same by hand: preview, up, run, another config and up, destroy; one cluster for the whole story."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import yaml

from loadtest.cluster.kubectl import kubectl_for
from loadtest.cluster.port_forward import kept_forwards
from loadtest.health.known import NEWS, pods_known
from loadtest.target import parse_target
from tests.e2e.known_amounts import known_amounts_are_told
from tests.e2e.load_from_pods import pods_send_the_load
from tests.e2e.workspace import PROJECT, Workspace, wait_until, windows_begun

pytestmark = pytest.mark.cluster

NO_ENGINE = {"DOCKER_HOST": "unix:///nonexistent/docker.sock"}
EXPECTED_TYPES = {
    "command:local:Command",
    "kubernetes:helm.sh/v3:Release",
    "kubernetes:apps/v1:Deployment",
    "kubernetes:core/v1:Service",
    "kubernetes:networking.k8s.io/v1:Ingress",
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole",
}


def test_from_preview_to_destroy(workspace: Workspace) -> None:
    """One story: every chapter needs the cluster of the one before, and a cluster takes its time."""
    workspace.configure(cluster_workers=0)
    planned = _preview_shows_everything_without_an_engine(workspace)
    _up_creates_what_was_previewed(workspace, planned)
    _a_second_up_changes_nothing(workspace)
    _another_replica_is_no_new_cluster(workspace)
    _another_worker_is_a_new_cluster(workspace)
    _a_run_passes(workspace)
    _what_need_not_wait_for_the_nodes_was_begun_before_them(workspace)
    _the_controller_took_its_configuration_at_once(workspace)
    _pods_that_the_ingress_does_not_lead_to_are_found(workspace)
    # One request at a time: with twenty httpx is busy with itself, and the run says so.
    _another_engine_gives_the_same_report(workspace, "httpx", "--concurrency", "1")
    _another_engine_gives_the_same_report(
        workspace, "k6", "--profile", "constant_rate", "--rate", "40", "--duration", "5"
    )
    _monitor_measures_from_now_on(workspace)
    pods_send_the_load(workspace)
    known_amounts_are_told(workspace)
    _a_wrong_body_is_unhealthy_and_explained(workspace)
    _a_pipeline_refuses_to_start_over_it(workspace)
    _destroy_leaves_nothing(workspace)


def _preview_shows_everything_without_an_engine(workspace: Workspace) -> int:
    preview = workspace.pulumi("preview", "--json", **NO_ENGINE)
    assert preview.returncode == 0, preview.stdout + preview.stderr
    steps = [step for step in json.loads(preview.stdout)["steps"] if step["op"] == "create"]
    assert {step["newState"]["type"] for step in steps} >= EXPECTED_TYPES
    return len(steps)


def _up_creates_what_was_previewed(workspace: Workspace, planned: int) -> None:
    up = workspace.pulumi("up", "--yes", "--skip-preview")
    assert up.returncode == 0, up.stdout + up.stderr
    created = re.search(r"\+ (\d+) created", up.stdout)
    assert created, up.stdout
    assert int(created[1]) == planned, "the preview shows every resource"
    assert "client-key-data" not in up.stdout + up.stderr


def _a_second_up_changes_nothing(workspace: Workspace) -> None:
    again = workspace.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")
    assert again.returncode == 0, again.stdout + again.stderr


def _another_replica_is_no_new_cluster(workspace: Workspace) -> None:
    before = workspace.stack_file.read_text()
    apps = yaml.safe_load(before)["config"]["loadproof:apps"]
    apps[0]["replicas"] += 1
    workspace.configure(apps=apps)
    operations = _planned(workspace)
    assert operations["kubernetes:apps/v1:Deployment"] == {"update"}
    assert "command:local:Command" not in operations
    workspace.stack_file.write_text(before)


def _another_worker_is_a_new_cluster(workspace: Workspace) -> None:
    before = workspace.stack_file.read_text()
    workspace.configure(cluster_workers=1)
    operations = _planned(workspace)
    assert "replace" in operations["command:local:Command"], operations
    workspace.stack_file.write_text(before)


def _planned(workspace: Workspace) -> dict[str, set[str]]:
    preview = workspace.pulumi("preview", "--json")
    assert preview.returncode == 0, preview.stdout + preview.stderr
    operations: dict[str, set[str]] = {}
    for step in json.loads(preview.stdout)["steps"]:
        if step["op"] != "same":
            state = step.get("newState") or step["oldState"]
            operations.setdefault(state["type"], set()).add(step["op"])
    return operations


def _a_run_passes(workspace: Workspace) -> None:
    run = workspace.loadtest("run")
    assert run.returncode == 0, run.stdout + run.stderr
    combined = workspace.report()["summary"]["arms"][0]["combined"]
    assert (combined["requests"], combined["succeeded"]) == (200, 200)
    assert combined["latency"]["p99_ms"] is None, "200 requests have no p99 worth printing"


def _another_engine_gives_the_same_report(workspace: Workspace, engine: str, *flags: str) -> None:
    run = workspace.loadtest("run", "--engine", engine, *flags)
    assert run.returncode == 0, run.stdout + run.stderr
    report = workspace.report()
    combined = report["summary"]["arms"][0]["combined"]
    assert (combined["requests"], combined["succeeded"]) == (200, 200)
    assert (report["plan"]["engine"], report["generator"]["engine"]) == (engine, engine)


def _monitor_measures_from_now_on(workspace: Workspace) -> None:
    """A known amount of CPU is burnt meanwhile: by the clock of the shell that burns it."""
    windows = windows_begun(workspace)
    with ThreadPoolExecutor() as pool:
        watching = pool.submit(workspace.loadtest, "monitor", "--duration", "6", "--interval", "2")
        wait_until(lambda: windows_begun(workspace) > windows, timeout_s=30, what="the window to begin")
        burnt_s = _burn_in_the_ingress(workspace, duration_s=3)
        assert not watching.done(), "it was burnt within the window"
        done = watching.result()
    assert done.returncode == 0, done.stdout + done.stderr
    usage = json.loads((workspace.artifacts / "monitor.json").read_text())
    assert usage["problems"] == []
    ingress, cluster = usage["scopes"][-2:]
    assert ingress["cpu_seconds"] == pytest.approx(burnt_s, rel=0.05)
    assert cluster["cpu_seconds"] > ingress["cpu_seconds"]
    assert ingress["cpu_cores"]["samples"] > 2, "Prometheus tells what lies between the window's edges"
    assert cluster["cpu_window_s"] == pytest.approx(6, abs=0.5)


def _burn_in_the_ingress(workspace: Workspace, *, duration_s: int) -> float:
    """CPU seconds, user and system, by the clock of the shell that burns them.

    The image of the ingress need not have a shell: one of its node moves into the container's cgroups.
    """
    kubectl = ("kubectl", "--kubeconfig", str(workspace.kubeconfig))
    pods = workspace.run(*kubectl, "get", "pods", "--namespace", "ingress-nginx", "-o", "json")
    (pod,) = json.loads(pods.stdout)["items"]
    container_id = pod["status"]["containerStatuses"][0]["containerID"].rpartition("/")[2]
    burn = f"""
        for tasks in $(find /sys/fs/cgroup/ -path '*/cri-containerd-{container_id}.scope/cgroup.procs'); do
            echo $$ > "$tasks"
        done
        timeout {duration_s} sh -c 'while :; do :; done'
        times"""
    burnt = workspace.run("docker", "exec", pod["spec"]["nodeName"], "sh", "-c", burn)
    assert burnt.returncode == 0, burnt.stderr
    of_children = burnt.stdout.splitlines()[1]
    return sum(
        int(minutes) * 60 + float(seconds) for minutes, seconds in re.findall(r"(\d+)m([\d.]+)s", of_children)
    )


def _the_controller_took_its_configuration_at_once(workspace: Workspace) -> None:
    """Where it cannot hand over one part, it waits for a second or more and begins anew with all of them."""
    controller = ("--namespace", "ingress-nginx", "logs", "deployment/ingress-nginx-controller")
    told = workspace.run("kubectl", "--kubeconfig", str(workspace.kubeconfig), *controller)
    assert "Backend successfully reloaded" in told.stdout, told.stdout + told.stderr
    assert NEWS in told.stdout, "health waits for it, and not at all where the log does not have it"
    assert "Dynamic reconfiguration failed" not in told.stdout


def _what_need_not_wait_for_the_nodes_was_begun_before_them(workspace: Workspace) -> None:
    """The API server was asked for it on the way: nobody would miss what was not begun but by the clock."""
    names = (
        "--namespace",
        "kube-system",
        "get",
        "deployment",
        "coredns",
        "--output",
        "jsonpath={.spec.replicas}",
    )
    told = workspace.run("kubectl", "--kubeconfig", str(workspace.kubeconfig), *names)
    assert told.stdout == "1", told.stdout + told.stderr


def _pods_that_the_ingress_does_not_lead_to_are_found(workspace: Workspace) -> None:
    """The planted fault: an app whose pods no Ingress names."""
    outputs = workspace.run("pulumi", "stack", "output", "--json", "--stack", "e2e").stdout
    target = parse_target(json.loads(outputs))
    kubectl = replace(kubectl_for(target.cluster), program=str(PROJECT / ".venv" / "bin" / "kubectl"))
    elsewhere = replace(target.apps[0], name="prometheus", namespace=target.monitoring.namespace)
    with kept_forwards(kubectl) as forwards:
        known = pods_known(target, kubectl, forwards).obstacle(20)
        unknown = pods_known(replace(target, apps=(elsewhere,)), kubectl, forwards).obstacle(20)
    assert known is None
    assert re.fullmatch(r"the ingress does not know pod monitoring/prometheus-\S+ yet", unknown or "")


def _a_wrong_body_is_unhealthy_and_explained(workspace: Workspace) -> None:
    """The planted fault: the stack says one thing of an app, the app answers another."""
    kubectl = ("kubectl", "--kubeconfig", str(workspace.kubeconfig))
    patch = [{"op": "replace", "path": "/spec/template/spec/containers/0/args/1", "value": "-text=other"}]
    deployed = json.loads(workspace.run("pulumi", "stack", "output", "--json", "--stack", "e2e").stdout)
    app = deployed["apps"][0]
    patched = workspace.run(
        *(*kubectl, "--namespace", app["namespace"], "patch", "deployment", app["name"]),
        *("--type=json", "--patch", json.dumps(patch)),
    )
    assert patched.returncode == 0, patched.stderr
    out = ("rollout", "status", f"deployment/{app['name']}", "--timeout=60s")
    rolled_out = workspace.run(*kubectl, "--namespace", app["namespace"], *out)
    assert rolled_out.returncode == 0, rolled_out.stderr
    run = workspace.loadtest("run", "--health-timeout", "8")
    assert run.returncode == 5, run.stdout + run.stderr
    report = workspace.report()
    assert report["kind"] == "failed"
    assert report["stage"] == "health"
    assert "other" in report["reason"], "the reason shows the body that came"
    assert (workspace.artifacts / "diagnostics" / "pods.txt").exists()
    assert "Not measured" in (workspace.artifacts / "comment.md").read_text()


def _a_pipeline_refuses_to_start_over_it(workspace: Workspace) -> None:
    containers = workspace.containers()
    refused = workspace.loadtest("pipeline")
    assert refused.returncode == 3, refused.stdout + refused.stderr
    assert "make destroy" in refused.stderr
    assert workspace.containers() == containers, "what was there is left alone"


def _destroy_leaves_nothing(workspace: Workspace) -> None:
    destroyed = workspace.loadtest("destroy")
    assert destroyed.returncode == 0, destroyed.stdout + destroyed.stderr
    workspace.assert_nothing_left()
    again = workspace.loadtest("destroy")
    assert again.returncode == 0, "destroying nothing is no error: " + again.stderr
