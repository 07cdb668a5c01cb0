"""Which cluster a stack is in and what in there is its own: what whoever takes it down has to know. Pure.

A stack's config says it, and the state of a deployed stack keeps it: the config may have changed since.
"""

from collections.abc import Mapping

from infra.model import StackSettings
from infra.naming import Naming
from infra.paths import text_or_none

Whereabouts = Mapping[str, str | bool | None]


def whereabouts(settings: StackSettings) -> Whereabouts:
    """`selector` is of the label on all that is put into a cluster that `stays` after the stack."""
    return {
        "provider": settings.cluster.provider,
        "stays": settings.cluster.existing is not None,
        "name": settings.cluster.name,
        "context": settings.cluster.context,
        "kubeconfig_path": text_or_none(settings.kubeconfig),
        "selector": Naming(prefix=settings.namespace_prefix).selector,
    }
