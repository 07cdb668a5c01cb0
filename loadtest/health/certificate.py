"""Whether every host answers over TLS with the certificate it was given, asked through a tunnel of its own.

The certificate itself is what is trusted: whoever issued it, it has to be the very one, for the host's name,
and of this time. Leaves out load, which goes over plain HTTP.
"""

import base64
import binascii
import ssl
import time
from dataclasses import dataclass

import httpx

from loadtest.cluster.kubectl import Kubectl
from loadtest.cluster.port_forward import forwarded_port
from loadtest.errors import MonitoringError, UnhealthyError
from loadtest.health.checks import wrong_answer
from loadtest.target import AppTarget, TargetEnvironment

_PORT = 443
_END = "-----END CERTIFICATE-----"
# A step whose turn comes when the time is up is still begun, and fails in its own words.
_LEAST_S = 0.01


@dataclass(frozen=True, kw_only=True)
class AnswersOverTls:
    target: TargetEnvironment
    secret: str
    kubectl: Kubectl
    name: str = "answers over TLS"

    def obstacle(self, timeout_s: float) -> str | None:
        ingress = self.target.ingress
        deadline_s = time.monotonic() + timeout_s

        def left_s() -> float:
            return max(_LEAST_S, deadline_s - time.monotonic())

        try:
            context = trusting(self._certificate(left_s()))
            with forwarded_port(
                self.kubectl,
                namespace=ingress.namespace,
                to=f"service/{ingress.service}",
                port=_PORT,
                timeout_s=left_s(),
            ) as port:
                answers = (_wrong(context, port, app, timeout_s=left_s()) for app in self.target.apps)
                return "; ".join(filter(None, answers)) or None
        except (UnhealthyError, MonitoringError) as error:
            return error.message

    def _certificate(self, timeout_s: float) -> str:
        """Of the secret its public part alone is read."""
        where = ("--namespace", self.target.apps[0].namespace)
        part = r"jsonpath={.data.tls\.crt}"
        encoded = self.kubectl.text("get", "secret", self.secret, *where, "-o", part, timeout_s=timeout_s)
        try:
            return base64.b64decode(encoded, validate=True).decode("ascii")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise UnhealthyError(f"the secret {self.secret} holds no certificate: {error}") from error


def trusting(certificate: str) -> ssl.SSLContext:
    """A context that takes this certificate and no other, whatever chain of its issuers follows it.

    Raises UnhealthyError where it is none.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(cadata=_first(certificate))
    except (ssl.SSLError, ValueError) as error:
        raise UnhealthyError(f"the certificate cannot be read: {error}") from error
    return context


def _first(chain: str) -> str:
    """With an issuer among what is trusted, all that it ever issued would be."""
    own, end, _ = chain.partition(_END)
    return own + end


def _wrong(context: ssl.SSLContext, port: int, app: AppTarget, *, timeout_s: float) -> str | None:
    url = f"https://127.0.0.1:{port}{app.path}"
    # A client of its own: a connection is of the one name it was opened for.
    with httpx.Client(timeout=timeout_s, trust_env=False, verify=context) as client:
        wrong = wrong_answer(client, url, app, extensions={"sni_hostname": app.host})
    return f"{app.host}: {wrong}" if wrong else None
