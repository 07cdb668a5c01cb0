"""Secrets by their shapes. Everything here that looks like one is made up."""

import pytest

from loadtest.cluster.redact import redacted

_KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIabc\ndef\n-----END RSA PRIVATE KEY-----"
_PAT = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
_TOKEN = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJub2JvZHkifQ.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("HTTP_PROXY=http://anna:s3cretword@proxy.example:3128", "s3cretword"),
        ("Authorization: Bearer abcdefgh12345678", "abcdefgh12345678"),
        ("authorization: basic YW5uYTpwYXNz", "YW5uYTpwYXNz"),
        (f"before {_KEY} after", "MIIabc\ndef"),
        ("-----BEGIN PRIVATE KEY-----\nMIIcut", "MIIcut"),
        ("    client-key-data: LS0tLS1CRUdJTg==", "LS0tLS1CRUdJTg=="),
        (f"token {_TOKEN} was used", _TOKEN),
        (f"git clone with {_PAT}", _PAT),
        ("kubeadm join --token abcdef.0123456789abcdef", "abcdef.0123456789abcdef"),
        ('{"Env": ["DB_PASSWORD=hunter22"]}', "hunter22"),
        ('{"api_key": "k-123456"}', "k-123456"),
    ],
)  # fmt: skip
def test_what_has_the_shape_of_a_secret_is_removed(text: str, secret: str) -> None:
    assert secret in text, "the test has to plant what it looks for"
    assert secret not in redacted(text)
    assert "[removed]" in redacted(text)


def test_what_stands_around_a_secret_stays() -> None:
    assert redacted("a http://u:pw12@h/x b") == "a http://[removed]@h/x b"


@pytest.mark.parametrize(
    "text",
    [
        "pod apps/foo-5d8f7c9b4-x2k9z: container echo: ErrImagePull",
        "Mounts: /var/run/secrets/kubernetes.io/serviceaccount from kube-api-access-abcde (ro)",
        "image registry.example/echo@sha256:0123456789abcdef0123456789abcdef",
        "http://10.244.1.2:5678/healthz",
        "2026-01-01T00:00:02Z node worker: Ready",
    ],
)
def test_ordinary_lines_stay_as_they_are(text: str) -> None:
    assert redacted(text) == text
