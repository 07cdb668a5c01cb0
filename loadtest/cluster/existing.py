"""A cluster that is there before a stack and stays after it: whether it will do, and what in it is ours.

All that a stack puts there lies in namespaces that carry its label, or carries the label itself. Leaves out
making and deleting any of it: the Pulumi program does that.
"""

import json
import logging
import re
import shlex
import time
from collections.abc import Iterator, Mapping, Sequence

from loadtest.cluster.kubectl import Kubectl
from loadtest.cluster.objects import Namespace
from loadtest.errors import LoadTestError, MachineError, UnhealthyError, UsageError

logger = logging.getLogger(__name__)

_ANSWER_S = 10.0
_REMOVAL_S = 120.0
_TLS = "kubernetes.io/tls"
_SERVER = "jsonpath={.clusters[0].cluster.server}"
_METRICS_API = "/apis/metrics.k8s.io/v1beta1"
_ANSWER = """jsonpath={.status.allowed} {.spec.resourceAttributes.resource}{'\\n'}"""
# A server that says no has answered.
_NO_ANSWER = re.compile(
    "Unable to connect to the server|connection to the server .* was refused|gave no answer"
)
_OUTSIDE_NAMESPACES = "namespaces,clusterroles,clusterrolebindings,ingressclasses"
_RBAC = "rbac.authorization.k8s.io"
# What deploying a stack makes, by API group; the chart makes no others and keeps its notes in a secret.
_MADE_OUTSIDE = {
    "": ("namespaces",),
    _RBAC: ("clusterroles", "clusterrolebindings"),
    "networking.k8s.io": ("ingressclasses",),
}
_MADE_INSIDE = {
    "": ("configmaps", "secrets", "serviceaccounts", "services", "pods/portforward"),
    _RBAC: ("roles", "rolebindings"),
    "apps": ("deployments",),
    "networking.k8s.io": ("ingresses", "networkpolicies"),
    "policy": ("poddisruptionbudgets",),
}
_MADE_BY_AUTOSCALERS = {"autoscaling": ("horizontalpodautoscalers",)}
_MADE_BY_LOAD_PODS = {"": ("pods", "pods/exec")}


def problems(
    kubectl: Kubectl,
    *,
    prefix: str,
    selector: str,
    load_pods: bool = False,
    autoscalers: bool = False,
    certificate: str | None = None,
    chaos: bool = False,
) -> Iterator[LoadTestError]:
    """What keeps a stack from being put there; no more is asked where that would be idle.

    `load_pods` says that pods in there are to send the load, `autoscalers` that apps are to have some;
    `certificate` is a secret's namespace/name, `chaos` says that pods are to be deleted under load.
    """
    if why := out_of_reach(kubectl):
        yield MachineError(why, hint="`kubectl cluster-info` asks the same: is the way there open?")
        return
    yield from _refused(
        kubectl,
        prefix,
        _MADE_INSIDE,
        *([_MADE_BY_LOAD_PODS] if load_pods else []),
        *([_MADE_BY_AUTOSCALERS] if autoscalers else []),
    )
    yield from _taken(kubectl, prefix, selector)
    if autoscalers and (unmeasured := _metrics_lack(kubectl)):
        yield unmeasured
    if certificate and (lacking := _certificate_lacks(kubectl, certificate)):
        yield lacking
    if chaos and (refused := _deletion_refused(kubectl, prefix)):
        yield refused


def out_of_reach(kubectl: Kubectl, *, tries: int = 3, pause_s: float = 1.0) -> str | None:
    """Why nothing there can be asked; None where the cluster answers, be it with a refusal.

    Raises UsageError where the kubeconfig has no such context: that says nothing of the cluster.
    """
    _check_context(kubectl)
    for attempt in range(tries):
        time.sleep(pause_s if attempt else 0)
        said = _complaint(kubectl)
        if not _NO_ANSWER.search(said):
            return None
    return f"the cluster of context {kubectl.context!r} does not answer: {said}"


def _complaint(kubectl: Kubectl) -> str:
    try:
        kubectl.text("get", "--raw", "/version", timeout_s=_ANSWER_S)
    except UnhealthyError as error:
        return error.message
    return ""


def _check_context(kubectl: Kubectl) -> None:
    contexts = kubectl.text("config", "get-contexts", "-o", "name").split()
    if kubectl.context not in contexts:
        raise UsageError(
            f"the kubeconfig has no context {kubectl.context!r}",
            hint=f"cluster_context may be one of: {', '.join(contexts) or 'none, it has none'}.",
        )


def server(kubectl: Kubectl) -> str | None:
    """The address that the context leads to; None where there is no such context."""
    try:
        return kubectl.text("config", "view", "--minify", "--output", _SERVER)
    except UnhealthyError:
        return None


def own_namespaces(kubectl: Kubectl, selector: str) -> tuple[str, ...]:
    found = kubectl.items(Namespace, "namespaces", "--selector", selector)
    return tuple(one.metadata.name for one in found)


def leftovers(kubectl: Kubectl, selector: str) -> tuple[str, ...]:
    """What of the stack's is still in the cluster, as `kind/name`."""
    return tuple(kubectl.text("get", _OUTSIDE_NAMESPACES, "--selector", selector, "-o", "name").split())


def remove(kubectl: Kubectl, selector: str) -> None:
    """Whatever comes of it: `leftovers` tells."""
    try:
        kubectl.text(*_removal(selector), f"--timeout={_REMOVAL_S:.0f}s", timeout_s=_REMOVAL_S + _ANSWER_S)
    except UnhealthyError as error:
        logger.warning("removing by label: %s", error)


def removal(kubectl: Kubectl, selector: str) -> str:
    """The command that removes by hand all that is the stack's."""
    return shlex.join(kubectl.arguments(*_removal(selector)))


def _removal(selector: str) -> tuple[str, ...]:
    return ("delete", _OUTSIDE_NAMESPACES, "--selector", selector)


def _refused(
    kubectl: Kubectl, prefix: str, *made_inside: Mapping[str, Sequence[str]]
) -> Iterator[LoadTestError]:
    """The rights that are lacking, asked for all at once."""
    inside = f"{prefix}apps"  # may be the only namespaces that the rights are for: those of the prefix
    asked = [*_reviews(_MADE_OUTSIDE, None)]
    asked += [review for made in made_inside for review in _reviews(made, inside)]
    answers = kubectl.text(
        *("create", "--validate=false", "--filename", "-", "--output", _ANSWER),
        stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": asked}),
        timeout_s=_ANSWER_S,
    )
    if lacking := [line.split()[1] for line in answers.splitlines() if line.startswith("false")]:
        yield UsageError(
            f"context {kubectl.context!r} may not create {', '.join(lacking)}",
            hint=f"`kubectl auth can-i create {lacking[0]}` asks the same; whoever runs it can grant it.",
        )


def _reviews(made: Mapping[str, Sequence[str]], namespace: str | None) -> Iterator[Mapping[str, object]]:
    for group, resources in made.items():
        for resource, _, part in (one.partition("/") for one in resources):
            attributes = {"verb": "create", "group": group, "resource": resource, "subresource": part}
            yield {
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": {**attributes, "namespace": namespace or ""}},
            }


def _metrics_lack(kubectl: Kubectl) -> LoadTestError | None:
    try:
        kubectl.text("get", "--raw", _METRICS_API, timeout_s=_ANSWER_S)
    except UnhealthyError as error:
        return MachineError(
            f"apps have an autoscaler, and the cluster has no metrics for it to decide by: {error.message}",
            hint="Its owner may install metrics-server; without it the apps can have `replicas` instead.",
        )
    return None


def _certificate_lacks(kubectl: Kubectl, certificate: str) -> LoadTestError | None:
    namespace, _, name = certificate.partition("/")
    words = ("get", "secret", name, "--namespace", namespace, "--output", "jsonpath={.type}")
    try:
        found = kubectl.text(*words, timeout_s=_ANSWER_S)
    except UnhealthyError as error:
        return UsageError(f"the certificate {certificate} cannot be read: {error.message}")
    if found != _TLS:
        return UsageError(f"the secret {certificate} is of type {found}, a certificate is of type {_TLS}")
    return None


def _deletion_refused(kubectl: Kubectl, prefix: str) -> LoadTestError | None:
    words = ("auth", "can-i", "delete", "pods", "--namespace", f"{prefix}apps")
    try:
        kubectl.text(*words, timeout_s=_ANSWER_S)
    except UnhealthyError:
        return UsageError(
            f"context {kubectl.context!r} may not delete pods, as the chaos is to",
            hint=f"`kubectl {' '.join(words)}` asks the same; whoever runs the cluster can grant it.",
        )
    return None


def _taken(kubectl: Kubectl, prefix: str, selector: str) -> Iterator[LoadTestError]:
    """Namespaces of the prefix are an earlier run's or a stranger's, and in neither case taken over.

    Those of a stack whose own, longer prefix begins alike are in nobody's way.
    """
    label, _, value = selector.partition("=")
    found = [one.metadata for one in kubectl.items(Namespace, "namespaces", timeout_s=_ANSWER_S)]
    labelled = {one.name: one.labels.get(label) for one in found if one.name.startswith(prefix)}
    if own := [name for name, whose in labelled.items() if whose == value]:
        yield MachineError(
            f"the stack's namespaces are there already ({', '.join(own)})",
            hint="If they are an earlier run's, `make destroy` removes them: no run starts over leftovers.",
        )
    if strange := [name for name, whose in labelled.items() if whose is None]:
        yield UsageError(
            f"there are namespaces that begin with the prefix and are not the stack's ({', '.join(strange)})",
            hint="They are left alone: set another namespace_prefix.",
        )
