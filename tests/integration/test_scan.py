"""The security scan, with programs in the place of Trivy and Pulumi that answer as those do.

What the real Trivy finds, and that this project explains what is severe: tests/e2e/test_scan.py.
"""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from loadtest import records
from loadtest.artifacts import Artifacts
from loadtest.errors import DeployError, MachineError, UsageError
from loadtest.exit_codes import ExitCode
from loadtest.process import ProgramFailedError
from loadtest.scan import database, explanations, sarif
from loadtest.scan.deployed import deployed
from loadtest.scan.scanning import Scanned, Scope, scan
from loadtest.scan.words import lines
from loadtest.security import Finding, Findings, Severity
from tests.integration.fake_program import FakeProgram, fake_program
from tests.ports import free_port

PROJECT = Path(__file__).resolve().parents[2]
CONTAINER = {"name": "foo", "image": "shop:ci", "ports": []}
CHART_VALUES = {
    "controller": {"image": {"registry": "registry.k8s.io", "image": "nginx", "tag": "v1"}},
    "image": {"repository": "traefik", "tag": "v3"},
}
DEPLOYMENT = {
    "kind": "Deployment",
    "metadata": {"name": "foo"},
    "spec": {"template": {"spec": {"containers": [CONTAINER]}}},
}
STATES = [
    {"type": "kubernetes:apps/v1:Deployment", "inputs": DEPLOYMENT},
    {"type": "kubernetes:apps/v1:Deployment", "inputs": DEPLOYMENT},
    {"type": "kubernetes:helm.sh/v3:Release", "inputs": {"chart": "charts/ingress", "values": CHART_VALUES}},
    {"type": "command:local:Command", "inputs": {"kind": "kept out"}},
]
PREVIEW = json.dumps({"steps": [*({"op": "create", "newState": one} for one in STATES), {"op": "same"}]})
IMAGES = ["registry.k8s.io/nginx:v1", "shop:ci", "traefik:v3"]
NO_IMAGE = {"code": 1, "stderr": "FATAL\tFatal error\n\t* remote error: no such host\n"}
SARIF = {
    "version": "2.1.0",
    "runs": [
        {
            "tool": {"driver": {"name": "Trivy", "rules": [{"id": "DS-1"}]}},
            "results": [{"ruleId": "DS-1", "ruleIndex": 0}],
        }
    ],
}


def misconfigured(rule: str, severity: str, title: str = "") -> dict[str, Any]:
    return {"ID": rule, "Severity": severity, "Title": title}


def found(*misconfigurations: dict[str, Any], **more: list[dict[str, Any]]) -> dict[str, object]:
    result = {"Target": "Dockerfile", "Misconfigurations": misconfigurations, **more}
    return {"stdout": json.dumps({"SchemaVersion": 2, "Results": [result]})}


def explained(**statements: str) -> dict[str, object]:
    """By what the explained check came to."""
    modified = [
        {"Type": "misconfiguration", "Statement": statement, "Finding": {"Status": status}}
        for status, statement in statements.items()
    ]
    return found(ExperimentalModifiedFindings=modified)


NOTHING: dict[str, object] = {"stdout": json.dumps({"SchemaVersion": 2})}
CONVERTED = {"convert": {"stdout": json.dumps(SARIF)}}


@pytest.fixture
def trivy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeProgram:
    fake_program(tmp_path / "pulumi", "pulumi").answers({"preview": {"stdout": PREVIEW}})
    trivy = fake_program(tmp_path / "trivy", "trivy")
    monkeypatch.setenv("PATH", f"{trivy.folder}:{tmp_path / 'pulumi'}:/usr/bin:/bin")
    chart = tmp_path / "charts" / "ingress"
    chart.mkdir(parents=True)
    (chart / "Chart.yaml").write_text("name: ingress\n")
    return trivy


class LogInFirst(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_error(401)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def registry() -> Iterator[str]:
    """What any registry says to whoever is not logged in."""
    with HTTPServer(("127.0.0.1", 0), LogInFirst) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}/trivy-db:2"
        server.shutdown()


@pytest.fixture
def scope(tmp_path: Path) -> Scope:
    return Scope(
        project=tmp_path,
        stacks=("ci",),
        repository=tmp_path,
        folder=tmp_path / "scan",
        database_repository=f"127.0.0.1:{free_port()}/trivy-db:2",
    )


def counts(scanned: Scanned) -> dict[str, dict[Severity, int] | None]:
    return {one.part: dict(one.counts) if one.counts is not None else None for one in scanned.findings.parts}


def calls(trivy: FakeProgram, command: str) -> list[list[str]]:
    return [call for call in trivy.asked() if call[0] == command]


def test_repository_manifests_and_images_are_counted_and_get_a_file_each(
    trivy: FakeProgram, scope: Scope
) -> None:
    secret = {"RuleID": "github-pat", "Severity": "CRITICAL", "Title": "GitHub token"}
    package = {"VulnerabilityID": "CVE-1", "Severity": "LOW", "Title": "Slow", "PkgName": "x"}
    trivy.answers(
        {
            **CONVERTED,
            "--helm-values": found(misconfigured("KSV-1", "HIGH", "Too much")),
            "misconfig,secret": found(misconfigured("DS-1", "ODD"), Secrets=[secret]),
            "misconfig": NOTHING,
            "shop:ci": found(Vulnerabilities=[package]),
            "image --quiet": NOTHING,
        }
    )
    scanned = scan(scope)
    assert counts(scanned) == {
        "repository": {Severity.CRITICAL: 1, Severity.UNKNOWN: 1},
        "manifests": {Severity.HIGH: 1},
        "images": {Severity.LOW: 1},
    }
    assert [one.severe for one in scanned.findings.parts] == [
        (Finding(id="github-pat", severity=Severity.CRITICAL, where="Dockerfile", title="GitHub token"),),
        (Finding(id="KSV-1", severity=Severity.HIGH, where="ci/Dockerfile", title="Too much"),),
        (),
    ]
    assert records.load(Findings, scope.folder / "findings.json") == scanned.findings
    assert {file.name for file in scope.folder.glob("*.sarif")} == {
        "repository.sarif",
        "manifests.sarif",
        "images.sarif",
    }
    assert [call[-1] for call in calls(trivy, "image")] == IMAGES


def test_with_its_database_it_looks_for_vulnerabilities_as_well(
    trivy: FakeProgram, scope: Scope, registry: str
) -> None:
    trivy.answers({**CONVERTED, "": NOTHING})
    scanned = scan(replace(scope, database_repository=registry))
    first, *looks = [call for call in trivy.asked() if call[0] != "convert"]
    assert "--download-db-only" in first
    assert all(any(word.startswith("--scanners=vuln,") for word in call) for call in looks)
    assert scanned.findings.left_out() == {}


def test_without_its_database_it_does_what_it_can_and_says_in_one_line_what_it_left_out(
    trivy: FakeProgram, scope: Scope
) -> None:
    trivy.answers({**CONVERTED, "": NOTHING})
    scanned = scan(scope)
    assert not [call for call in trivy.asked() if "vuln" in " ".join(call) or "--download-db-only" in call]
    (line,) = [line for line in lines(scanned) if "left out" in line]
    assert line.startswith("left out of repository and images: vulnerabilities (127.0.0.1:")
    assert "Connection refused" in line


def test_a_database_that_is_refused_after_all_is_left_out_as_well(
    trivy: FakeProgram, scope: Scope, registry: str
) -> None:
    refused = {"code": 1, "stderr": "FATAL\tFatal error\n\t* GET https://x: 403 Forbidden\n"}
    trivy.answers({**CONVERTED, "--download-db-only": refused, "": NOTHING})
    scanned = scan(replace(scope, database_repository=registry))
    assert list(scanned.findings.left_out()) == ["vulnerabilities (GET https://x: 403 Forbidden)"]


def test_a_silent_registry_costs_a_moment() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        repository = f"127.0.0.1:{silent.getsockname()[1]}/trivy-db:2"
        assert "timed out" in database.out_of_reach(repository, patience_s=0.1)


@pytest.mark.parametrize("registry", ["127.0.0.1:port", "a..b", ""])
def test_what_is_no_name_of_a_registry_is_out_of_reach(registry: str) -> None:
    assert database.out_of_reach(f"{registry}/trivy-db:2") != ""


def test_a_server_that_speaks_no_http_is_out_of_reach() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            with server.accept()[0] as connection:
                connection.recv(1_000)
                connection.sendall(b"220 mail\r\n")

        greeter = threading.Thread(target=greet)
        greeter.start()
        assert "220 mail" in database.out_of_reach(f"127.0.0.1:{server.getsockname()[1]}/trivy-db:2")
        greeter.join()


def test_one_registry_that_answers_is_enough(registry: str) -> None:
    dead = f"127.0.0.1:{free_port()}/trivy-db:2"
    assert database.out_of_reach(f"{dead},{registry}") == ""
    assert database.out_of_reach(dead) != ""


def test_an_image_that_cannot_be_had_is_not_scanned_and_not_counted_as_nothing_found(
    trivy: FakeProgram, scope: Scope
) -> None:
    trivy.answers({**CONVERTED, "image --quiet": NO_IMAGE, "": NOTHING})
    scanned = scan(scope)
    assert counts(scanned)["images"] is None
    assert scanned.findings.parts[2].left_out[1:] == tuple(
        f"{image} (remote error: no such host)" for image in IMAGES
    )
    assert "images: not scanned" in lines(scanned)
    assert not (scope.folder / "images.sarif").exists()


def test_manifests_are_what_each_stack_would_deploy_charts_with_the_stacks_values(
    trivy: FakeProgram, scope: Scope
) -> None:
    trivy.answers({**CONVERTED, "": NOTHING})
    scan(replace(scope, stacks=("ci", "traefik")))
    objects = scope.folder / "manifests" / "objects"
    assert sorted(str(file.relative_to(objects)) for file in objects.rglob("*.yaml")) == [
        f"{stack}/Deployment-foo{number}.yaml" for stack in ("ci", "traefik") for number in ("-1", "")
    ]
    assert yaml.safe_load((objects / "ci" / "Deployment-foo.yaml").read_text()) == DEPLOYMENT
    charts = scope.folder / "manifests" / "charts"
    for folder in ("ci-0", "traefik-0"):
        assert (charts / folder / "ingress" / "Chart.yaml").exists()
        assert yaml.safe_load((charts / folder / "values.yaml").read_text()) == CHART_VALUES
    assert len([call for call in trivy.asked() if "--helm-values=values.yaml" in call]) == 2


@pytest.mark.parametrize("metadata", ["[secret]", {"name": None}, {}])
def test_an_object_whose_name_a_preview_does_not_tell_is_scanned_as_well(
    trivy: FakeProgram, scope: Scope, tmp_path: Path, metadata: object
) -> None:
    trivy.answers({**CONVERTED, "": NOTHING})
    state = {"type": "kubernetes:core/v1:Secret", "inputs": {"kind": "Secret", "metadata": metadata}}
    preview = {"stdout": json.dumps({"steps": [{"newState": state}]})}
    fake_program(tmp_path / "pulumi", "pulumi").answers({"preview": preview})
    scan(scope)
    assert (scope.folder / "manifests" / "objects" / "ci" / "Secret-unnamed.yaml").exists()


def test_a_chart_that_is_elsewhere_is_left_out(trivy: FakeProgram, scope: Scope) -> None:
    trivy.answers({**CONVERTED, "": NOTHING})
    (scope.repository / explanations.FILE).write_text(EXPLANATIONS)
    (scope.project / "charts").rename(scope.project / "gone")
    scanned = scan(scope)
    assert scanned.findings.parts[1].left_out == (
        "the chart charts/ingress of ci, which is no folder of the project",
    )
    assert {"secrets"} == {one.kind for one in scanned.stale}, "what the chart would show nobody knows"


EXPLANATIONS = """
misconfigurations:
  - {id: DS-1, paths: [Dockerfile, other/Dockerfile], statement: because}
secrets:
  - {id: github-pat, statement: a test's}
vulnerabilities:
  - {id: CVE-1, statement: not reached}
"""


def test_what_is_explained_is_counted_apart_and_what_explains_nothing_any_more_is_named(
    trivy: FakeProgram, scope: Scope
) -> None:
    (scope.repository / explanations.FILE).write_text(EXPLANATIONS)
    trivy.answers(
        {**CONVERTED, "misconfig,secret": explained(FAIL="because [1]", PASS="because [2]"), "": NOTHING}
    )
    scanned = scan(scope)
    assert scanned.findings.parts[0].explained == 1
    assert [(one.id, one.path) for one in scanned.stale] == [
        ("DS-1", "other/Dockerfile"),
        ("github-pat", "every file"),
    ], "vulnerabilities were not looked for, so nobody knows"
    assert not scanned.is_clean
    assert ".trivyignore.yaml: DS-1 is not found in other/Dockerfile any more: take it out" in lines(scanned)
    given = yaml.safe_load((scope.folder / "explanations.yaml").read_text())
    assert given["misconfigurations"] == [
        {"id": "DS-1", "paths": ["Dockerfile"], "statement": "because [1]"},
        {"id": "DS-1", "paths": ["other/Dockerfile"], "statement": "because [2]"},
    ]


def test_of_secrets_in_images_that_were_left_out_nobody_knows_whether_they_are_stale(
    trivy: FakeProgram, scope: Scope
) -> None:
    (scope.repository / explanations.FILE).write_text("secrets: [{id: github-pat, statement: a test's}]")
    trivy.answers({**CONVERTED, "image --quiet": NO_IMAGE, "": NOTHING})
    assert scan(scope).stale == ()


@pytest.mark.parametrize("folder", ["", "loadproof"])
def test_where_stacks_were_left_out_nobody_knows_which_explanations_are_stale(
    trivy: FakeProgram, scope: Scope, folder: str
) -> None:
    (scope.repository / explanations.FILE).write_text(EXPLANATIONS)
    (scope.repository / folder).mkdir(exist_ok=True)
    for stack in ("ci", "my.traefik"):
        (scope.repository / folder / f"Pulumi.{stack}.yaml").touch()
    trivy.answers({**CONVERTED, "": NOTHING})
    assert scan(scope).stale == ()
    assert scan(replace(scope, stacks=("ci", "my.traefik"))).stale


def test_another_repository_adds_its_explanations_and_answers_for_no_others(
    trivy: FakeProgram, scope: Scope, tmp_path: Path
) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    (scope.project / explanations.FILE).write_text(EXPLANATIONS)
    (shop / explanations.FILE).write_text("misconfigurations: [{id: DS-9, statement: ours}]")
    trivy.answers({**CONVERTED, "": NOTHING})
    scanned = scan(replace(scope, repository=shop))
    given = yaml.safe_load((scope.folder / "explanations.yaml").read_text())["misconfigurations"]
    assert [one["id"] for one in given] == ["DS-1", "DS-1", "DS-9"]
    assert [one.id for one in scanned.stale] == ["DS-9"]


@pytest.mark.parametrize(
    "text", ["- DS-1", "misconfigurations: [{statement: x}]", "a: [b", "secrets: {id: x}"]
)
def test_explanations_that_make_no_sense_are_an_error(trivy: FakeProgram, scope: Scope, text: str) -> None:
    (scope.repository / explanations.FILE).write_text(text)
    with pytest.raises(UsageError, match="cannot be read"):
        scan(scope)


@pytest.mark.parametrize(
    ("severity", "explained_by", "code"),
    [
        ("HIGH", "", ExitCode.OBJECTIVE_MISSED),
        ("CRITICAL", "", ExitCode.OBJECTIVE_MISSED),
        ("MEDIUM", "", ExitCode.PASSED),
        ("LOW", "misconfigurations: [{id: DS-1, statement: x}]", ExitCode.OBJECTIVE_MISSED),
    ],
    ids=["high", "critical", "medium", "a stale explanation"],
)
def test_the_exit_code_says_whether_something_severe_or_stale_is_there(
    trivy: FakeProgram,
    tmp_path: Path,
    severity: str,
    explained_by: str,
    code: ExitCode,
) -> None:
    trivy.answers({**CONVERTED, "misconfig,secret": found(misconfigured("DS-1", severity)), "": NOTHING})
    (tmp_path / explanations.FILE).write_text(explained_by)
    done = subprocess.run(
        (sys.executable, "-m", "loadtest", "scan", "--stacks", "ci"),
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(PROJECT),
            "TRIVY_DB_REPOSITORY": f"127.0.0.1:{free_port()}/trivy-db:2",
        },
        check=False,
    )
    assert done.returncode == code
    assert Artifacts(root=tmp_path / "artifacts").findings.exists()


def test_trivy_tells_nobody_that_it_was_used_and_fetches_no_other_checks(
    trivy: FakeProgram, scope: Scope, registry: str
) -> None:
    trivy.answers({**CONVERTED, "": NOTHING})
    scan(replace(scope, database_repository=registry))
    assert {call[0] for call in trivy.asked()} == {"fs", "image", "convert"}
    assert all("--config=/dev/null" in call for call in trivy.asked()), "a repository's own would be read"
    for call in [*calls(trivy, "fs"), *calls(trivy, "image")]:
        assert {"--skip-version-check", "--disable-telemetry"} <= set(call), call
        assert {"--skip-check-update", "--download-db-only"} & set(call), call


def test_a_text_of_any_length_is_cut_off(trivy: FakeProgram, scope: Scope) -> None:
    long = "x" * 10_000
    trivy.answers({**CONVERTED, "misconfig,secret": found(misconfigured(long, "HIGH", long)), "": NOTHING})
    (only,) = scan(scope).findings.parts[0].severe
    assert max(map(len, (only.id, only.where, only.title))) == 300


def test_what_is_found_cannot_write_lines_of_its_own_on_the_screen(trivy: FakeProgram, scope: Scope) -> None:
    hostile = "\x1b[2Jx\n::error::planted"
    there = found(misconfigured("DS-1", "HIGH", hostile))
    gone = {"code": 1, "stderr": "FATAL\tno \x1b[2Jimage"}
    trivy.answers({**CONVERTED, "misconfig,secret": there, "image --quiet": gone, "": NOTHING})
    told = list(lines(scan(scope)))
    assert "  high: DS-1 in Dockerfile: x ::error::planted" in told
    assert not [line for line in told if "\x1b" in line or "\n" in line]


def test_a_scan_that_fails_for_another_reason_is_a_failure(trivy: FakeProgram, scope: Scope) -> None:
    trivy.answers({"": {"code": 1, "stderr": "FATAL unknown flag"}})
    with pytest.raises(ProgramFailedError):
        scan(scope)
    trivy.answers({"convert": {"stdout": "no SARIF"}, "": NOTHING})
    with pytest.raises(MachineError, match="printed no SARIF"):
        scan(scope)
    trivy.answers({**CONVERTED, "": {"stdout": "no JSON"}})
    with pytest.raises(MachineError, match="no report that can be read"):
        scan(scope)


def test_a_stack_that_cannot_be_previewed_is_named(trivy: FakeProgram, scope: Scope, tmp_path: Path) -> None:
    fake_program(tmp_path / "pulumi", "pulumi").answers({"preview": {"code": 1, "stdout": '{"steps": []}'}})
    with pytest.raises(DeployError, match="stack ci cannot be previewed") as caught:
        scan(scope)
    assert "pulumi preview --stack ci" in caught.value.hint


def test_an_earlier_scan_is_never_taken_for_this_one(
    trivy: FakeProgram, scope: Scope, tmp_path: Path
) -> None:
    trivy.answers({**CONVERTED, "": NOTHING})
    scan(scope)
    assert (scope.folder / "images.sarif").exists()
    trivy.answers({**CONVERTED, "image --quiet": NO_IMAGE, "": NOTHING})
    scan(scope)
    assert not (scope.folder / "images.sarif").exists()
    fake_program(tmp_path / "pulumi", "pulumi").answers({"preview": {"code": 1}})
    with pytest.raises(DeployError):
        scan(scope)
    assert not (scope.folder / "findings.json").exists()


def test_a_stack_that_is_up_is_scanned_as_one_that_is_not(
    trivy: FakeProgram, scope: Scope, tmp_path: Path
) -> None:
    """A preview tells what stays as it is only where it is asked to."""
    trivy.answers({**CONVERTED, "": NOTHING})
    fake_program(tmp_path / "pulumi", "pulumi").answers(
        {"--show-sames": {"stdout": PREVIEW}, "preview": {"stdout": '{"steps": []}'}}
    )
    scan(scope)
    assert [call[-1] for call in calls(trivy, "image")] == IMAGES


def test_a_repository_that_is_not_there_is_named(trivy: FakeProgram, scope: Scope, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        scan(replace(scope, repository=tmp_path / "shop"))


def test_without_trivy_it_says_how_to_get_it(scope: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(scope.project))
    with pytest.raises(MachineError, match="trivy is not on the PATH") as caught:
        scan(scope)
    assert "make scan" in caught.value.hint


@pytest.mark.parametrize("text", ["", "[]", '{"steps": 1}', PREVIEW.replace('"charts/ingress"', "7")])
def test_what_is_no_preview_is_an_error(text: str) -> None:
    with pytest.raises(DeployError, match="the preview cannot be read"):
        deployed(text)


def test_sarif_documents_become_one_run_that_has_each_rule_once() -> None:
    def document(*rules: str) -> dict[str, Any]:
        named = [{"id": rule} for rule in rules]
        results = [{"ruleId": rule, "ruleIndex": at} for at, rule in enumerate(rules)]
        return {"version": "2.1.0", "runs": [{"tool": {"driver": {"rules": named}}, "results": results}]}

    whole = sarif.merged([document("DS-1"), document("DS-2", "DS-1")])
    assert whole == {
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"rules": [{"id": "DS-1"}, {"id": "DS-2"}]}},
                "results": [{"ruleId": "DS-1"}, {"ruleId": "DS-2"}, {"ruleId": "DS-1"}],
            }
        ],
    }
