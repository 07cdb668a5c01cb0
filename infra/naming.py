"""What keeps stacks that share a cluster apart: a prefix to each name that is not inside a namespace.

Pure. Leaves out names inside namespaces: nobody else gives any there. A stack with a cluster of its own has
no prefix, and its names are plain.
"""

from dataclasses import dataclass

from infra import labels

LABEL = "loadproof/prefix"


@dataclass(frozen=True, kw_only=True)
class Naming:
    prefix: str = ""

    def name(self, plain: str) -> str:
        return self.prefix + plain

    @property
    def labels(self) -> dict[str, str]:
        """On namespaces and what is in none: whatever has them is this stack's, and goes with it."""
        return {LABEL: self.prefix.strip("-")} if self.prefix else {}

    @property
    def selector(self) -> str:
        """Selects what has the labels, and nothing where there are none."""
        return ",".join(f"{key}={value}" for key, value in self.labels.items())

    @property
    def namespace_labels(self) -> dict[str, str]:
        """A namespace of the stack's admits only pods of the strictest pod security standard."""
        return {**labels.pod_security_restricted(), **self.labels}
