"""What the Kubernetes plugin's main package embeds, and its module leaves out.

Upstream's release process makes these two files; here they are made from the module's own originals.
"""

from __future__ import annotations

import json
from pathlib import Path

from toolchain.recipes.images import go_module
from toolchain.sources.build import BuildContext

_MODULE = "github.com/pulumi/pulumi-kubernetes/provider/v4"


def embed_schema(context: BuildContext, wrapper: Path) -> None:
    """Put both files into the copy of the wrapper."""
    module = go_module(context, "pulumi-resource-kubernetes", _MODULE)
    for name, additions in {"schema": {"version": context.part.version}, "terraform-mapping": {}}.items():
        source = module / "cmd/pulumi-resource-kubernetes" / f"{name}.json"
        document = {**json.loads(source.read_text(encoding="utf-8")), **additions}
        (wrapper / f"{name}.json").write_text(json.dumps(document, separators=(",", ":")), encoding="utf-8")
