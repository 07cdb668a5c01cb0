"""Lists and logs asked of an API server on this machine itself, without a kubectl for each.

A kubectl takes a tenth of a second of CPU to start, and while a stack comes up it is asked again and again. A
short cut and never a judge: whatever does not go the plain way (a cluster elsewhere, another sign-in than by
certificate, a refusal, a broken connection) is kubectl's to do, and to explain. Leaves out all else.
"""

import base64
import ipaddress
import logging
import ssl
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import msgspec

from loadtest.cluster.kubectl import ContainerLog, Kubectl

logger = logging.getLogger(__name__)

_CORE, _APPS, _AUTOSCALING = "api/v1", "apis/apps/v1", "apis/autoscaling/v2"
_GROUPS = {
    "nodes": _CORE,
    "pods": _CORE,
    "deployments": _APPS,
    "statefulsets": _APPS,
    "daemonsets": _APPS,
    "horizontalpodautoscalers": _AUTOSCALING,
}
_IN_NO_NAMESPACE = frozenset({"nodes"})


class _Plain(msgspec.Struct, rename="kebab", forbid_unknown_fields=True):
    """Of a kubeconfig what is known here; with anything beside it the way is another, and kubectl's."""


class _Cluster(_Plain):
    server: str
    certificate_authority_data: str


class _User(_Plain):
    client_certificate_data: str
    client_key_data: str


class _Context(msgspec.Struct):
    cluster: str
    user: str


class _NamedCluster(msgspec.Struct):
    name: str
    cluster: _Cluster


class _NamedUser(msgspec.Struct):
    name: str
    user: _User


class _NamedContext(msgspec.Struct):
    name: str
    context: _Context


class _Kubeconfig(msgspec.Struct):
    clusters: list[_NamedCluster]
    users: list[_NamedUser]
    contexts: list[_NamedContext]


class _List(msgspec.Struct):
    kind: str
    items: list[msgspec.Raw]


@contextmanager
def direct(kubectl: Kubectl) -> Iterator[Kubectl]:
    """The same kubectl; within, lists and logs are asked for directly where that is possible."""
    way = _way(kubectl)
    if way is None:
        yield kubectl
        return
    server, context = way
    with httpx.Client(base_url=server, verify=context, trust_env=False) as client:
        yield replace(kubectl, shortcut=_Direct(client=client))


@dataclass(frozen=True, kw_only=True)
class _Direct:
    """Meets `loadtest.cluster.kubectl.Shortcut`."""

    client: httpx.Client

    def items(self, words: Sequence[str], timeout_s: float) -> list[bytes] | None:
        paths = list_paths(words)
        if paths is None:
            return None
        found: list[bytes] = []
        for path in paths:
            items = _items(self._answer(path, timeout_s / len(paths)))
            if items is None:
                return None
            found += items
        return found

    def log(self, of: ContainerLog, timeout_s: float) -> str | None:
        query = httpx.QueryParams(container=of.container, sinceSeconds=of.since_s)
        answer = self._answer(f"/{_CORE}/namespaces/{of.namespace}/pods/{of.pod}/log?{query}", timeout_s)
        return None if answer is None else answer.decode(errors="replace")

    def _answer(self, path: str, timeout_s: float) -> bytes | None:
        try:
            return self.client.get(path, timeout=timeout_s).raise_for_status().content
        except httpx.HTTPError as error:
            logger.info("asked by kubectl instead: %s", error)
            return None


def _items(answer: bytes | None) -> list[bytes] | None:
    if answer is None:
        return None
    try:
        found = msgspec.json.decode(answer, type=_List)
    except msgspec.MsgspecError as error:
        logger.info("asked by kubectl instead: %s", error)
        return None
    # Within a list the API leaves out what each of its items is; kubectl puts it in.
    kind = msgspec.json.encode(found.kind.removesuffix("List"))
    return [b'{"kind":' + kind + b"," + bytes(item).lstrip()[1:] for item in found.items]


def list_paths(words: Sequence[str]) -> list[str] | None:
    """The API's own addresses of what `kubectl get <words>` lists; None where the words say more."""
    kinds, options = words[0].split(","), words[1:]
    told = dict(option.removeprefix("--").partition("=")[::2] for option in options)
    namespaced = [kind for kind in kinds if kind not in _IN_NO_NAMESPACE]
    known = set(kinds) <= set(_GROUPS) and set(told) <= {"namespace", "selector", "all-namespaces"}
    if not known or (namespaced and not told.get("namespace") and "all-namespaces" not in told):
        return None  # kubectl has a namespace of its own where it is told none
    where = f"namespaces/{told['namespace']}/" if told.get("namespace") else ""
    which = f"?{httpx.QueryParams(labelSelector=told['selector'])}" if told.get("selector") else ""
    return [f"/{_GROUPS[kind]}/{where if kind in namespaced else ''}{kind}{which}" for kind in kinds]


def _way(kubectl: Kubectl) -> tuple[str, ssl.SSLContext] | None:
    """Address and means to sign in; None where the cluster is elsewhere or signing in takes more."""
    if kubectl.kubeconfig_path is None:
        return None
    try:
        text = Path(kubectl.kubeconfig_path).read_bytes()
        config = msgspec.yaml.decode(text, type=_Kubeconfig)
        (context,) = (one.context for one in config.contexts if one.name == kubectl.context)
        (cluster,) = (one.cluster for one in config.clusters if one.name == context.cluster)
        (user,) = (one.user for one in config.users if one.name == context.user)
        server = httpx.URL(cluster.server)
        if server.scheme != "https" or not ipaddress.ip_address(server.host).is_loopback:
            return None  # who is elsewhere may be behind a proxy, which kubectl knows how to ask
        return cluster.server, _signed_in(cluster, user)
    except (OSError, ValueError) as error:  # of kubeconfig, certificates or address
        logger.info("the cluster is asked by kubectl alone: %s", error)
        return None


def _signed_in(cluster: _Cluster, user: _User) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # which trusts nobody yet
    context.load_verify_locations(cadata=_decoded(cluster.certificate_authority_data).decode())
    # The one way to give them; the file is this user's alone, as the kubeconfig is, and gone at once.
    with tempfile.NamedTemporaryFile() as file:
        for part in (user.client_certificate_data, user.client_key_data):
            file.write(_decoded(part) + b"\n")
        file.flush()
        context.load_cert_chain(file.name)
    return context


def _decoded(data: str) -> bytes:
    return base64.b64decode(data, validate=True)
