"""The security scan, with programs in the place of Trivy and Pulumi that answer as those do."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from loadtest import records
from loadtest.artifacts import Artifacts
from loadtest.errors import DeployError, MachineError
from loadtest.process import ProgramFailedError
from loadtest.scan import sarif
from loadtest.scan.deployed import deployed
from loadtest.scan.trivy import scan
from loadtest.security import Findings, Severity
from tests.integration.fake_program import FakeProgram, fake_program

CONTAINER = {"name": "foo", "image": "shop:ci", "ports": []}
STATES = [
    {
        "type": "kubernetes:apps/v1:Deployment",
        "inputs": {"kind": "Deployment", "spec": {"template": {"spec": {"containers": [CONTAINER]}}}},
    },
    {
        "type": "kubernetes:helm.sh/v3:Release",
        "inputs": {
            "chart": "ingress",
            "values": {
                "controller": {"image": {"registry": "registry.k8s.io", "image": "nginx", "tag": "v1"}},
                "image": {"repository": "traefik", "tag": "v3"},
            },
        },
    },
    {"type": "command:local:Command", "inputs": {"kind": "kept out"}},
]
PREVIEW = json.dumps({"steps": [*({"op": "create", "newState": one} for one in STATES), {"op": "same"}]})
NO_DATABASE = {"code": 1, "stderr": "FATAL\tfailed to download vulnerability DB: no such host\n"}


def document(*rules: str) -> dict[str, Any]:
    return {
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "Trivy", "rules": [{"id": rule} for rule in rules]}},
                "results": [{"ruleId": rule, "ruleIndex": at} for at, rule in enumerate(rules)],
            }
        ],
    }


def found(*rules: str) -> dict[str, object]:
    return {"stdout": json.dumps(document(*rules))}


@pytest.fixture
def trivy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeProgram:
    fake_program(tmp_path / "pulumi", "pulumi").answers({"preview": {"stdout": PREVIEW}})
    trivy = fake_program(tmp_path / "trivy", "trivy")
    monkeypatch.setenv("PATH", f"{trivy.folder}:{tmp_path / 'pulumi'}:/usr/bin:/bin")
    return trivy


def run(tmp_path: Path) -> tuple[str, ...]:
    return scan(tmp_path, "ci", tmp_path, tmp_path / "scan")


def test_repository_manifests_and_images_are_scanned_into_a_file_each(
    trivy: FakeProgram, tmp_path: Path
) -> None:
    trivy.answers(
        {"fs": found("CVE-1"), "config": found(), "shop:ci": found("CVE-2", "CVE-3"), "image": found("CVE-3")}
    )
    said = run(tmp_path)
    assert [line.split(",")[0] for line in said] == [
        "repository: 1 findings",
        "manifests: 0 findings",
        "images: 4 findings",
    ]
    images = json.loads((tmp_path / "scan" / "images.sarif").read_text())
    (only,) = images["runs"]
    assert [rule["id"] for rule in only["tool"]["driver"]["rules"]] == ["CVE-3", "CVE-2"]
    assert [result["ruleId"] for result in only["results"]] == ["CVE-3", "CVE-2", "CVE-3", "CVE-3"]
    assert [call[-1] for call in trivy.asked() if call[0] == "image"] == [
        "registry.k8s.io/nginx:v1",
        "shop:ci",
        "traefik:v3",
    ]


def severe(rule: str, severity: str) -> dict[str, Any]:
    whole = document(rule)
    whole["runs"][0]["tool"]["driver"]["rules"][0]["properties"] = {
        "tags": ["vulnerability", "security", severity],
        "security-severity": "9.5",
    }
    return whole


def test_findings_are_counted_by_the_severity_of_their_rule(trivy: FakeProgram, tmp_path: Path) -> None:
    trivy.answers(
        {
            "fs": found("no-severity"),
            "shop:ci": {"stdout": json.dumps(severe("CVE-2", "CRITICAL"))},
            "image": {"stdout": json.dumps(severe("CVE-3", "LOW"))},
            "": found(),
        }
    )
    run(tmp_path)
    kept = records.load(Findings, Artifacts(root=tmp_path).findings)
    assert [(one.part, one.counts, one.left_out) for one in kept.parts] == [
        ("repository", {Severity.UNKNOWN: 1}, ()),
        ("manifests", {}, ()),
        ("images", {Severity.LOW: 2, Severity.CRITICAL: 1}, ()),
    ]


def test_what_was_not_scanned_is_not_counted_as_nothing_found(trivy: FakeProgram, tmp_path: Path) -> None:
    trivy.answers({"image": NO_DATABASE, "": found()})
    run(tmp_path)
    *_, images = records.load(Findings, Artifacts(root=tmp_path).findings).parts
    assert images.counts is None
    assert len(images.left_out) == 3


def test_the_manifests_are_those_that_the_stack_would_deploy(trivy: FakeProgram, tmp_path: Path) -> None:
    trivy.answers({"": found()})
    run(tmp_path)
    (manifest,) = (tmp_path / "scan" / "manifests").iterdir()
    assert manifest.name == "000-Deployment.yaml"
    assert yaml.safe_load(manifest.read_text()) == STATES[0]["inputs"]


def test_trivy_tells_nobody_that_it_was_used(trivy: FakeProgram, tmp_path: Path) -> None:
    trivy.answers({"vuln,": NO_DATABASE, "": found()})
    run(tmp_path)
    assert {call[0] for call in trivy.asked()} == {"fs", "config", "image"}
    for call in trivy.asked():
        assert {"--skip-version-check", "--disable-telemetry"} <= set(call), call


def test_without_its_databases_it_does_what_it_can_and_says_what_it_left_out(
    trivy: FakeProgram, tmp_path: Path
) -> None:
    trivy.answers({"vuln,": NO_DATABASE, "image": NO_DATABASE, "": found("DS-1")})
    said = run(tmp_path)
    assert said[0].startswith("repository: 1 findings")
    assert said[1].startswith("repository: left out vulnerabilities of packages: FATAL\tfailed to download")
    assert [line.split(": FATAL")[0] for line in said[3:]] == [
        f"images: left out {image}" for image in ("registry.k8s.io/nginx:v1", "shop:ci", "traefik:v3")
    ]
    assert not (tmp_path / "scan" / "images.sarif").exists()


def test_a_scan_that_fails_for_another_reason_is_a_failure(trivy: FakeProgram, tmp_path: Path) -> None:
    trivy.answers({"": {"code": 1, "stderr": "FATAL unknown flag"}})
    with pytest.raises(ProgramFailedError):
        run(tmp_path)
    trivy.answers({"": {"stdout": "no SARIF"}})
    with pytest.raises(MachineError, match="printed no SARIF"):
        run(tmp_path)


def test_an_earlier_scan_is_never_taken_for_this_one(trivy: FakeProgram, tmp_path: Path) -> None:
    trivy.answers({"": found("CVE-1")})
    run(tmp_path)
    trivy.answers({"image": NO_DATABASE, "": found()})
    run(tmp_path)
    assert not (tmp_path / "scan" / "images.sarif").exists()


def test_without_trivy_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MachineError, match="trivy is not on the PATH") as caught:
        run(tmp_path)
    assert "make scan" in caught.value.hint


@pytest.mark.parametrize("text", ["", "[]", '{"steps": 1}'])
def test_what_is_no_preview_is_an_error(text: str) -> None:
    with pytest.raises(DeployError, match="the preview cannot be read"):
        deployed(text)


def test_one_document_stays_as_it_is_but_for_the_places_of_its_rules() -> None:
    whole = sarif.merged([document("CVE-1")])
    assert whole == {
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "Trivy", "rules": [{"id": "CVE-1"}]}},
                "results": [{"ruleId": "CVE-1"}],
            }
        ],
    }
