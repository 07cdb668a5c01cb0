"""The real Trivy, without its databases: what it says of this project, and what it sees where faults are.

Marked `trivy`: `make test-scan` gets it and runs these, which `make test` leaves out.
"""

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from loadtest import records
from loadtest.scan.explanations import FILE
from loadtest.security import Findings, Severity
from tests.e2e.workspace import PROJECT, STACK, Workspace
from tests.ports import free_port

pytestmark = pytest.mark.trivy

STACKS = sorted(file.name.split(".")[1] for file in PROJECT.glob("Pulumi.*.yaml"))
# In two halves, as this file is scanned as well.
TOKEN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
POD = """\
apiVersion: v1
kind: Pod
metadata: {name: shop}
spec:
  containers: [{name: shop, image: "shop:ci", securityContext: {privileged: true}}]
"""

Whole = tuple[subprocess.CompletedProcess[str], Findings, set[str]]


@pytest.fixture(scope="module")
def initialised(workspace: Workspace) -> Workspace:
    """Its own stack has what the committed ones leave out: Grafana, an autoscaler, and so metrics-server."""
    apps = yaml.safe_load(workspace.stack_file.read_text())["config"]["loadproof:apps"]
    del apps[0]["replicas"]
    workspace.configure(
        apps=[{**apps[0], "autoscaler": {"max_replicas": 4}}, *apps[1:]], monitoring_grafana="true"
    )
    for stack in STACKS:
        assert workspace.run("pulumi", "stack", "init", stack, "--no-select").returncode == 0
    return workspace


def scan(workspace: Workspace, *flags: str) -> subprocess.CompletedProcess[str]:
    """Without databases, wherever it runs: what they know changes from day to day."""
    nowhere = f"127.0.0.1:{free_port()}/trivy-db:2"
    return workspace.run("python", "-m", "loadtest", "scan", *flags, TRIVY_DB_REPOSITORY=nowhere)


@pytest.fixture(scope="module")
def whole(initialised: Workspace) -> Whole:
    """The scan of this project: how it ended, what it counted, and which files its findings are in."""
    done = scan(initialised, "--stacks", *STACKS, STACK)
    document = json.loads((initialised.artifacts / "scan" / "manifests.sarif").read_text())
    where = {
        location["physicalLocation"]["artifactLocation"]["uri"]
        for one in document["runs"][0]["results"]
        for location in one["locations"]
    }
    return done, findings(initialised), where


def findings(workspace: Workspace) -> Findings:
    return records.load(Findings, workspace.artifacts / "scan" / "findings.json")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A repository that has one fault of each kind."""
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY shop /shop\n")
    (tmp_path / "pod.yaml").write_text(POD)
    (tmp_path / "deploy.sh").write_text(f"export GITHUB_TOKEN={TOKEN}\n")
    return tmp_path


def test_nothing_severe_here_is_without_an_explanation_and_no_explanation_without_a_finding(
    whole: Whole,
) -> None:
    done, found, _ = whole
    assert done.returncode == 0, done.stdout + done.stderr
    repository, manifests, _ = found.parts
    for part in (repository, manifests):
        assert part.counts
        assert part.explained
        assert not {Severity.CRITICAL, Severity.HIGH} & part.counts.keys()


def test_every_stack_is_scanned_and_its_chart_as_it_would_be_installed(whole: Whole) -> None:
    _, _, where = whole
    assert {f"{stack}/Deployment-foo.yaml" for stack in STACKS} <= where
    assert {f"{STACK}/Deployment-{name}.yaml" for name in ("grafana", "metrics-server")} <= where
    assert "ingress-nginx/templates/controller-deployment.yaml" in where
    assert "traefik/templates/deployment.yaml" in where


def test_what_is_wrong_in_a_repository_is_found_and_fails_the_scan(
    initialised: Workspace, shop: Path
) -> None:
    (shop / FILE).write_text("misconfigurations: [{id: DS-0010, paths: [Dockerfile], statement: planted}]")
    done = scan(initialised, "--stack", STACK, "--repository", str(shop))
    assert done.returncode == 1, done.stdout + done.stderr
    found = {(one.id, one.where) for one in findings(initialised).parts[0].severe}
    assert {("DS-0002", "Dockerfile"), ("KSV-0017", "pod.yaml"), ("github-pat", "deploy.sh")} <= found
    assert f"{FILE}: DS-0010 is not found in Dockerfile any more: take it out" in done.stdout + done.stderr
    scanned = initialised.artifacts / "scan"
    assert not [file for file in scanned.rglob("*") if file.is_file() and TOKEN in file.read_text()]


def test_nothing_but_explanations_keeps_a_finding_out(initialised: Workspace, shop: Path) -> None:
    (shop / ".trivyignore").write_text("DS-0002\nKSV-0017\n")
    (shop / "trivy.yaml").write_text("severity: [LOW]\nscan: {skip-files: [deploy.sh]}\n")
    assert scan(initialised, "--stack", STACK, "--repository", str(shop)).returncode == 1
    severe = {one.id for one in findings(initialised).parts[0].severe}
    document = json.loads((initialised.artifacts / "scan" / "repository.sarif").read_text())
    published = {one["ruleId"] for one in document["runs"][0]["results"]}
    assert {"DS-0002", "KSV-0017", "github-pat"} <= severe & published


def test_what_is_explained_fails_no_scan(initialised: Workspace, shop: Path) -> None:
    assert scan(initialised, "--stack", STACK, "--repository", str(shop)).returncode == 1
    entries: dict[str, list[dict[str, object]]] = {"misconfigurations": [], "secrets": []}
    for one in findings(initialised).parts[0].severe:
        kind = "secrets" if one.id == "github-pat" else "misconfigurations"
        entries[kind].append({"id": one.id, "paths": [one.where], "statement": "planted"})
    (shop / FILE).write_text(yaml.safe_dump(entries))
    done = scan(initialised, "--stack", STACK, "--repository", str(shop))
    assert done.returncode == 0, done.stdout + done.stderr
    explained = sum(map(len, entries.values()))
    assert findings(initialised).parts[0].explained == explained
