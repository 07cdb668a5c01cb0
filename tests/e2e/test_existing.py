"""Stack `production` on a cluster that is there already, made beforehand: nothing else in it is touched."""

import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import yaml

from infra.clusters.kind_config import kind_config
from infra.stack import cluster_args
from infra.stack_file import settings_of
from loadtest.cluster import kind
from tests.certificates import certificate
from tests.e2e.workspace import PROJECT, Workspace
from tests.ports import free_port

pytestmark = pytest.mark.cluster

PREFIX = "pr-1-"
APPS = f"{PREFIX}apps"
WORKERS = 2
# These come and go by themselves.
PASSING = ("events", "leases", "endpoints", "endpointslices")


@dataclass(frozen=True, kw_only=True)
class Existing:
    """A cluster that belongs to somebody else; `kubeconfig` is theirs."""

    name: str
    kubeconfig: Path

    @property
    def context(self) -> str:
        return f"kind-{self.name}"

    def kubectl(self, *words: str) -> str:
        command = ("kubectl", "--kubeconfig", str(self.kubeconfig), *words)
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout

    def objects(self) -> set[str]:
        """Everything in the cluster, by kind and name."""
        kinds = self.kubectl("api-resources", "--verbs=list", "--output=name").split()
        lasting = [kind for kind in kinds if kind.split(".")[0] not in PASSING]
        columns = "KIND:.kind,NAMESPACE:.metadata.namespace,NAME:.metadata.name"
        everything = ("get", ",".join(lasting), "--all-namespaces", "--ignore-not-found")
        return set(self.kubectl(*everything, f"--output=custom-columns={columns}").splitlines())

    def add_powerless_context(self) -> str:
        """A context of somebody who may do nothing."""
        document = yaml.safe_load(self.kubeconfig.read_text())
        (user,), (context,) = document["users"], document["contexts"]
        document["users"].append({"name": "nobody", "user": {**user["user"], "as": "nobody"}})
        powerless = {**context["context"], "user": "nobody"}
        document["contexts"].append({"name": "powerless", "context": powerless})
        self.kubeconfig.write_text(yaml.safe_dump(document))
        return "powerless"

    def add_certificate(self, folder: Path, *hosts: str) -> str:
        """The private key's last line, which nothing else has."""
        public, private = certificate(*hosts)
        files = (folder / "certificate.pem", folder / "key.pem")
        for file, text in zip(files, (public, private), strict=True):
            file.write_text(text)
        self.kubectl("create", "namespace", "certificates")
        where = ("--namespace", "certificates", f"--cert={files[0]}", f"--key={files[1]}")
        self.kubectl("create", "secret", "tls", "loadproof", *where)
        return private.splitlines()[-2]

    def delete(self) -> None:
        """Its owner's doing; their kubeconfig stays as it is.

        By the program's command: kind itself now and then fails for good on a node that died frozen.
        """
        kubeconfig = self.kubeconfig.read_text()
        kind.delete(self.name, self.kubeconfig, folder=PROJECT, log=self.kubeconfig.with_name("delete.log"))
        self.kubeconfig.write_text(kubeconfig)


@pytest.fixture(scope="module")
def existing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Existing]:
    kubeconfig = tmp_path_factory.mktemp("theirs") / "kubeconfig"
    cluster = Existing(name=f"loadproof-existing-{os.getpid()}", kubeconfig=kubeconfig)
    args = replace(cluster_args(settings_of(PROJECT / "Pulumi.ci.yaml")), workers=WORKERS, ports=())
    create = ("kind", "create", "cluster", "--name", cluster.name, "--kubeconfig", str(kubeconfig))
    try:
        subprocess.run(
            (*create, "--config", "-"),
            input=json.dumps(kind_config(args)),
            check=True,
            capture_output=True,
            text=True,
            timeout=180,
        )
        yield cluster
    finally:
        cluster.delete()


def test_from_check_to_destroy(existing: Existing, workspace: Workspace, tmp_path: Path) -> None:
    """One story: every chapter needs what the ones before it left in the cluster."""
    workspace.stack_file.write_bytes((workspace.root / "Pulumi.production.yaml").read_bytes())
    workspace.configure(
        cluster_context=existing.context,
        cluster_kubeconfig=str(existing.kubeconfig),
        namespace_prefix=PREFIX,
        ingress_port=free_port(),
    )
    _a_wrong_context_is_told_with_those_there_are(existing, workspace)
    _lacking_rights_are_told(existing, workspace)
    key = existing.add_certificate(tmp_path, "foo.localhost", "bar.localhost")
    before = existing.objects()
    _a_strangers_namespace_is_not_taken_over(existing, workspace)
    _up_and_up_again_without_changes(workspace)
    _pods_are_apart_and_may_not_all_go_at_once(existing)
    _a_run_passes_and_says_that_it_went_through_a_tunnel(workspace)
    _the_private_key_is_in_no_file(workspace, key)
    _destroy_leaves_the_cluster_as_it_was(existing, workspace, before)
    _with_the_cluster_gone_destroy_says_what_may_be_left(existing, workspace)


def _a_wrong_context_is_told_with_those_there_are(existing: Existing, workspace: Workspace) -> None:
    workspace.configure(cluster_context="no-such-context")
    checked = workspace.loadtest("check")
    assert checked.returncode == 2, checked.stdout + checked.stderr
    assert existing.context in checked.stderr


def _lacking_rights_are_told(existing: Existing, workspace: Workspace) -> None:
    workspace.configure(cluster_context=existing.add_powerless_context())
    checked = workspace.loadtest("check")
    assert checked.returncode == 2, checked.stdout + checked.stderr
    assert "may not create namespaces, clusterroles" in checked.stderr
    workspace.configure(cluster_context=existing.context)


def _a_strangers_namespace_is_not_taken_over(existing: Existing, workspace: Workspace) -> None:
    existing.kubectl("create", "namespace", APPS)
    checked = workspace.loadtest("check")
    assert checked.returncode == 2, checked.stdout + checked.stderr
    assert f"({APPS})" in checked.stderr
    up = workspace.pulumi("up", "--yes", "--skip-preview")
    assert up.returncode != 0, up.stdout
    assert "already exists" in up.stdout
    labels = json.loads(existing.kubectl("get", "namespace", APPS, "--output=json"))["metadata"]["labels"]
    assert "loadproof/prefix" not in labels
    existing.kubectl("delete", "namespace", APPS)


def _up_and_up_again_without_changes(workspace: Workspace) -> None:
    up = workspace.pulumi("up", "--yes", "--skip-preview")
    assert up.returncode == 0, up.stdout + up.stderr
    again = workspace.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")
    assert again.returncode == 0, again.stdout + again.stderr


def _pods_are_apart_and_may_not_all_go_at_once(existing: Existing) -> None:
    for app in ("foo", "bar"):
        selected = ("--namespace", APPS, "--selector", f"app.kubernetes.io/name={app}", "--output=json")
        existing.kubectl("rollout", "status", f"deployment/{app}", "--namespace", APPS, "--timeout=30s")
        pods = json.loads(existing.kubectl("get", "pods", *selected))["items"]
        assert sorted(Counter(pod["spec"]["nodeName"] for pod in pods).values()) == [2, 2]
        (budget,) = json.loads(existing.kubectl("get", "poddisruptionbudgets", *selected))["items"]
        assert budget["status"]["desiredHealthy"] == 3


def _a_run_passes_and_says_that_it_went_through_a_tunnel(workspace: Workspace) -> None:
    run = workspace.loadtest("run")
    assert run.returncode == 0, run.stdout + run.stderr
    report = (workspace.artifacts / "report.md").read_text()
    assert "through a tunnel" in report
    assert "answered over TLS" in report


def _the_private_key_is_in_no_file(workspace: Workspace, key: str) -> None:
    left = [*workspace.artifacts.rglob("*"), *(workspace.root / ".pulumi-state").rglob("*")]
    assert [] == [file for file in left if file.is_file() and key in file.read_text(errors="replace")]


def _destroy_leaves_the_cluster_as_it_was(existing: Existing, workspace: Workspace, before: set[str]) -> None:
    destroyed = workspace.loadtest("destroy")
    assert destroyed.returncode == 0, destroyed.stdout + destroyed.stderr
    assert workspace.resources_in_state() == []
    assert existing.objects() == before


def _with_the_cluster_gone_destroy_says_what_may_be_left(existing: Existing, workspace: Workspace) -> None:
    up = workspace.pulumi("up", "--yes", "--skip-preview")
    assert up.returncode == 0, up.stdout + up.stderr
    existing.delete()
    destroyed = workspace.loadtest("destroy")
    assert destroyed.returncode == 7, destroyed.stdout + destroyed.stderr
    assert "may still be there" in destroyed.stderr
    assert "--selector loadproof/prefix=pr-1" in destroyed.stderr
    assert workspace.resources_in_state() == []
    again = workspace.loadtest("destroy")
    assert again.returncode == 0, "what is left was said once: " + again.stderr
