"""Answers over TLS against a real server, with a kubectl that hands out certificates and tunnels as told."""

import base64
import ssl
import time
from dataclasses import replace
from pathlib import Path

import pytest

from loadtest.cluster.kubectl import Kubectl
from loadtest.health.certificate import AnswersOverTls
from tests.certificates import certificate
from tests.integration.fake_program import FakeProgram
from tests.integration.loopback import Answer, Asked, Respond, loopback_server
from tests.unit.monitoring.values import target

HOSTS = ("foo.localhost", "bar.localhost")


def served_with(folder: Path, pair: tuple[str, str]) -> ssl.SSLContext:
    files = [folder / name for name in ("certificate.pem", "key.pem")]
    for file, text in zip(files, pair, strict=True):
        file.write_text(text)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    return context


def app_of_host(asked: Asked) -> Answer:
    return Answer(body=asked.headers["Host"].partition(".")[0].encode())


def obstacle(
    program: FakeProgram,
    tmp_path: Path,
    *,
    served: tuple[str, str],
    secret: str,
    respond: Respond = app_of_host,
    timeout_s: float = 5.0,
) -> str | None:
    """What stands in the way where the ingress serves one certificate and the secret holds another or it."""
    with loopback_server(respond, served_with(tmp_path, served)) as server:
        program.answers(
            {
                "get secret": {"stdout": base64.b64encode(secret.encode()).decode()},
                "port-forward": {
                    "stdout": f"Forwarding from 127.0.0.1:{server.port} -> 443\n",
                    "stays_s": 60,
                },
            }
        )
        kubectl = Kubectl(kubeconfig_path="k", context="c", program=program.path)
        return AnswersOverTls(target=target(), secret="certificate", kubectl=kubectl).obstacle(timeout_s)


def test_the_very_certificate_and_the_right_bodies_pass(program: FakeProgram, tmp_path: Path) -> None:
    pair = certificate(*HOSTS)
    assert obstacle(program, tmp_path, served=pair, secret=pair[0]) is None


def test_of_the_secret_only_the_certificate_is_asked_for(program: FakeProgram, tmp_path: Path) -> None:
    pair = certificate(*HOSTS)
    obstacle(program, tmp_path, served=pair, secret=pair[0])
    (asked,) = [call for call in program.asked() if "secret" in call]
    assert r"jsonpath={.data.tls\.crt}" in asked


def test_a_certificate_of_another_name_does_not(program: FakeProgram, tmp_path: Path) -> None:
    pair = certificate("foo.localhost")
    found = obstacle(program, tmp_path, served=pair, secret=pair[0])
    assert found is not None
    assert found.startswith("bar.localhost: ConnectError"), "foo's own name is on it"
    assert "Hostname mismatch" in found


def test_another_certificate_of_the_right_name_does_not(program: FakeProgram, tmp_path: Path) -> None:
    found = obstacle(program, tmp_path, served=certificate(*HOSTS), secret=certificate(*HOSTS)[0])
    assert found is not None
    assert "CERTIFICATE_VERIFY_FAILED" in found


def test_a_certificate_with_the_chain_of_its_issuers_passes(program: FakeProgram, tmp_path: Path) -> None:
    pair = certificate(*HOSTS, issuer=certificate("an issuer"))
    assert obstacle(program, tmp_path, served=pair, secret=pair[0]) is None


def test_another_certificate_of_the_same_issuer_does_not(program: FakeProgram, tmp_path: Path) -> None:
    issuer = certificate("an issuer")
    served, meant = (certificate(*HOSTS, issuer=issuer) for _ in range(2))
    found = obstacle(program, tmp_path, served=served, secret=meant[0])
    assert "CERTIFICATE_VERIFY_FAILED" in (found or "nothing is in the way"), "it may be the one before"


def test_an_expired_certificate_does_not(program: FakeProgram, tmp_path: Path) -> None:
    pair = certificate(*HOSTS, valid=False)
    assert "expired" in (obstacle(program, tmp_path, served=pair, secret=pair[0]) or "")


def test_a_wrong_body_does_not(program: FakeProgram, tmp_path: Path) -> None:
    pair = certificate(*HOSTS)
    found = obstacle(program, tmp_path, served=pair, secret=pair[0], respond=lambda _: Answer(body=b"else"))
    assert found is not None
    assert "foo.localhost: the body is 'else'" in found


@pytest.mark.parametrize("secret", ["", "no certificate"])
def test_a_secret_without_a_certificate_is_said(program: FakeProgram, tmp_path: Path, secret: str) -> None:
    found = obstacle(program, tmp_path, served=certificate(*HOSTS), secret=secret)
    assert "certificate cannot be read" in (found or "")


def test_all_of_it_together_takes_no_longer_than_it_may(program: FakeProgram, tmp_path: Path) -> None:
    def late(asked: Asked) -> Answer:
        return replace(app_of_host(asked), delay_s=1.5)

    pair = certificate(*HOSTS)
    begun_s = time.monotonic()
    said = obstacle(program, tmp_path, served=pair, secret=pair[0], respond=late, timeout_s=2.0)
    assert said is not None
    assert "bar.localhost: ReadTimeout" in said
    assert time.monotonic() - begun_s < 2.9, "each of two hosts answers within the time, both together do not"


def test_a_secret_that_is_not_there_yet_is_said(program: FakeProgram) -> None:
    program.answers({"get secret": {"code": 1, "stderr": 'secrets "certificate" not found'}})
    kubectl = Kubectl(kubeconfig_path="k", context="c", program=program.path)
    check = AnswersOverTls(target=target(), secret="certificate", kubectl=kubectl)
    assert "not found" in (check.obstacle(1.0) or "")
