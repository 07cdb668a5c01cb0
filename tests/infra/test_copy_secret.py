"""The command that copies a certificate, with a kubectl that answers as told."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from infra.paths import ROOT
from tests.integration.fake_program import FakeProgram, fake_program

KEY = "c2VjcmV0LWtleQ=="  # made up
SECRET = {"type": "kubernetes.io/tls", "data": {"tls.crt": "Y2VydA==", "tls.key": KEY}}


@pytest.fixture
def kubectl(tmp_path: Path) -> FakeProgram:
    return fake_program(tmp_path, "kubectl")


def run(kubectl: FakeProgram, verb: str, *, kubeconfig: str = "") -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": str(kubectl.folder),
        "CONTEXT": "staging",
        "KUBECONFIG_PATH": kubeconfig,
        "SOURCE": "shop",
        "SOURCE_NAMESPACE": "certificates",
        "TARGET": "certificate",
        "TARGET_NAMESPACE": "pr-1-apps",
    }
    command = [sys.executable, "infra/workloads/copy_secret.py", verb]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_it_is_read_in_one_namespace_and_made_in_the_other(kubectl: FakeProgram) -> None:
    kubectl.answers({"get secret": {"stdout": json.dumps(SECRET)}, "create": {"reads": True}})
    done = run(kubectl, "create", kubeconfig="/k")
    assert (0, "") == (done.returncode, done.stdout + done.stderr)
    way = ["--context", "staging", "--kubeconfig", "/k"]
    assert [
        [*way, "get", "secret", "shop", "--namespace", "certificates", "--output", "json"],
        [*way, "create", "--filename", "-"],
    ] == kubectl.asked()
    made = json.loads(kubectl.told())
    assert {"name": "certificate", "namespace": "pr-1-apps"} == made["metadata"]
    assert SECRET["data"] == made["data"]


def test_the_key_is_in_no_argument_and_in_no_output(kubectl: FakeProgram) -> None:
    kubectl.answers(
        {"get secret": {"stdout": json.dumps(SECRET)}, "create": {"code": 1, "stderr": "refused"}}
    )
    done = run(kubectl, "create")
    assert 1 == done.returncode
    assert "`kubectl create` of the certificate's secret failed: refused" in done.stderr
    assert KEY not in done.stdout + done.stderr + str(kubectl.asked())


def test_a_secret_of_another_type_is_refused(kubectl: FakeProgram) -> None:
    kubectl.answers({"get secret": {"stdout": json.dumps({"type": "Opaque", "data": {"password": KEY}})}})
    done = run(kubectl, "create")
    assert 1 == done.returncode
    assert "certificates/shop is of type Opaque" in done.stderr
    assert 1 == len(kubectl.asked()), "nothing is made of it"


def test_deleting_takes_the_copy_alone(kubectl: FakeProgram) -> None:
    kubectl.answers({"delete": {}})
    assert 0 == run(kubectl, "delete").returncode
    (call,) = kubectl.asked()
    assert ["delete", "secret", "certificate", "--namespace", "pr-1-apps", "--ignore-not-found"] == call[2:]
