"""`python -m infra.needs --stack ci`: what a stack needs of the toolchain.

Prints one JSON object: `problems` of the configuration, `parts` by their names in toolchain/pins.toml, and
`images` that no part stands for, each with the setting that names it. Exits with 2 where there are problems.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field

from infra import versions
from infra.check import settings_of
from infra.model import StackSettings
from infra.parsing import SettingsError
from infra.paths import ROOT

_OF_PROVIDER: Mapping[str, tuple[str, ...]] = {"kind": ("kind",)}
_OF_CONTROLLER: Mapping[str, tuple[str, ...]] = {"nginx": ("chart-ingress-nginx",)}


@dataclass(frozen=True, kw_only=True)
class Needs:
    """Parts of the toolchain; images of the stack's own, with the setting that names each."""

    parts: tuple[str, ...] = ()
    images: Mapping[str, str] = field(default_factory=dict)


def needs(settings: StackSettings) -> Needs:
    """What is to be there before the stack can be deployed and tested. Pure."""
    own_node_image = settings.cluster.node_image != versions.image("loadproof/node")
    return Needs(
        parts=tuple(_parts(settings, own_node_image=own_node_image)),
        images={settings.cluster.node_image: "cluster_node_image"} if own_node_image else {},
    )


def _parts(settings: StackSettings, *, own_node_image: bool) -> Iterator[str]:
    yield from _OF_PROVIDER[settings.cluster.provider]
    if not own_node_image:
        yield "node-image"
    yield from _OF_CONTROLLER[settings.ingress.controller]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.needs", description=__doc__)
    parser.add_argument("--stack", required=True, help="the stack whose needs are asked for")
    problems: tuple[str, ...] = ()
    needed = Needs()
    try:
        needed = needs(settings_of(ROOT / f"Pulumi.{parser.parse_args().stack}.yaml"))
    except SettingsError as error:
        problems = error.problems
    print(json.dumps({"problems": problems, **asdict(needed)}, indent=2))
    return 2 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
