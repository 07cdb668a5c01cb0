"""Certificates to test with: for the given names, made anew each time, self-signed unless an issuer signs."""

import contextlib
import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def certificate(*hosts: str, valid: bool = True, issuer: tuple[str, str] | None = None) -> tuple[str, str]:
    """The certificate and its private key, both as PEM; one that is not valid has expired.

    `issuer` is such a pair as well: then the certificate is followed by that of its issuer.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"loadproof test of {', '.join(hosts)}")])
    issuer_name, issuer_key = _issuer(issuer) if issuer else (name, key)
    begin = datetime.now(UTC) - timedelta(days=2)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer_name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=30 if valid else 1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([_name(host) for host in hosts]), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    chain = made.public_bytes(serialization.Encoding.PEM).decode() + (issuer[0] if issuer else "")
    return chain, private.decode()


def server_context(folder: Path, *, server: tuple[str, str], client: str) -> ssl.SSLContext:
    """For a server that lets in who has the client's certificate and nobody else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    for name, text in (("server.pem", "".join(server)), ("client.pem", client)):
        (folder / name).write_text(text)
    context.load_cert_chain(folder / "server.pem")
    context.load_verify_locations(folder / "client.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def _name(host: str) -> x509.GeneralName:
    with contextlib.suppress(ValueError):
        return x509.IPAddress(ipaddress.ip_address(host))
    return x509.DNSName(host)


def _issuer(pair: tuple[str, str]) -> tuple[x509.Name, ec.EllipticCurvePrivateKey]:
    key = serialization.load_pem_private_key(pair[1].encode(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return x509.load_pem_x509_certificate(pair[0].encode()).subject, key
