"""`python -m infra.check --stack ci`: checks a stack's configuration without an engine.

Prints one JSON object: `problems` and `claims`, and where there are none in the configuration itself also
`cluster`, `chaos`, `load` and `ports`. Exits with 2 where there are problems.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from infra.model import StackSettings
from infra.needs import images_wanted
from infra.parsing import SettingsError
from infra.paths import ROOT, claims
from infra.placed import set_up_problems
from infra.ports import stack_port_problems
from infra.stack_file import settings_of, stack_of
from infra.whereabouts import whereabouts


def check(stack_file: Path) -> dict[str, Any]:
    """What is printed for the stack that this file configures."""
    return {**_facts(stack_file), "claims": str(claims(stack_of(stack_file)))}


def _facts(stack_file: Path) -> dict[str, Any]:
    try:
        settings = settings_of(stack_file)
    except SettingsError as error:
        return {"problems": list(error.problems)}
    return {
        "problems": [*stack_port_problems(settings), *set_up_problems(settings)],
        "cluster": _cluster(settings),
        "chaos": [asdict(event) for event in settings.chaos],
        "load": asdict(settings.load),
        "ports": settings.host_ports,
    }


def _cluster(settings: StackSettings) -> dict[str, Any]:
    cluster, certificate = settings.cluster, settings.ingress.certificate
    return {
        **whereabouts(settings),
        "images": images_wanted(settings),
        "node_image": None if cluster.existing else cluster.node_image,
        "namespace_prefix": settings.namespace_prefix,
        "autoscalers": any(app.autoscaler for app in settings.apps),
        "certificate": None if certificate is None else f"{certificate.namespace}/{certificate.name}",
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.check", description=__doc__)
    parser.add_argument("--stack", required=True, help="the stack whose Pulumi.<stack>.yaml is checked")
    result = check(ROOT / f"Pulumi.{parser.parse_args().stack}.yaml")
    print(json.dumps(result, indent=2))
    return 2 if result["problems"] else 0


if __name__ == "__main__":
    sys.exit(main())
