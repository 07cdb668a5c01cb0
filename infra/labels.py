"""The labels and annotations that more than one component sets. Pure."""

import hashlib
from collections.abc import Mapping

# The node whose ports are mapped to the machine: traffic that enters there needs no second hop.
INGRESS_NODE: Mapping[str, str] = {"loadproof/ingress": "true"}

# The health stage asks the real thing; what Pulumi would wait for (10 s for a Service) is no proof of it.
SKIP_AWAIT: Mapping[str, str] = {"pulumi.com/skipAwait": "true"}


def component(name: str) -> dict[str, str]:
    """Marks what belongs to one component; also what selects its pods."""
    return {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "loadproof"}


def pod_security_restricted() -> dict[str, str]:
    """A namespace that admits only pods of the strictest pod security standard."""
    return {"pod-security.kubernetes.io/enforce": "restricted"}


def read_at_start(documents: str) -> dict[str, str]:
    """A pod that reads these at its start and never again: changed ones start a new pod."""
    return {"loadproof/config": hashlib.sha256(documents.encode()).hexdigest()[:12]}
