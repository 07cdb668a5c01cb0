"""`python -m infra.needs --stack ci`: what a stack needs of the toolchain.

Prints one JSON object: `problems` of the configuration, `parts` by their names in toolchain/pins.toml, and
`images` that no part stands for, each with the setting that names it. Exits with 2 where there are problems.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from infra import versions
from infra.clusters import PROVIDERS
from infra.ingress import CONTROLLERS
from infra.model import ChaosAction, ClusterSettings, StackSettings
from infra.parsing import SettingsError
from infra.parsing.cluster import node_image
from infra.paths import ROOT
from infra.stack_file import settings_of

_IMAGE = "image-"


@dataclass(frozen=True, kw_only=True)
class Needs:
    """Parts of the toolchain; images of the stack's own, with the setting that names each."""

    parts: tuple[str, ...] = ()
    images: Mapping[str, str] = field(default_factory=dict)


def needs(settings: StackSettings) -> Needs:
    """What is to be there before the stack can be deployed and tested. Pure."""
    parts = tuple(_parts(settings))
    if settings.cluster.existing:  # which gets its images itself
        return Needs(parts=tuple(part for part in parts if not part.startswith(_IMAGE)))
    return Needs(parts=parts, images=_images(settings.cluster))


def images_wanted(settings: StackSettings) -> tuple[str, ...]:
    """The images without which there is no run, as this machine's container engine names them. Pure."""
    needed = needs(settings)
    of_parts = (versions.image_of_part(part) for part in needed.parts if not versions.is_optional(part))
    return (*(image for image in of_parts if image), *needed.images)


def _parts(settings: StackSettings) -> Iterator[str]:
    yield from PROVIDERS[settings.cluster.provider].parts
    if settings.cluster.control_planes > 1:
        yield "image-envoy"  # kind balances between them by it
    if settings.cluster.existing is None and not _images(settings.cluster):
        yield "node-image"
    yield from CONTROLLERS[settings.ingress.controller].parts
    if any(app.autoscaler for app in settings.apps):
        yield "image-metrics-server"
    if settings.monitoring.grafana_port is not None:
        yield "image-grafana"
    if any(event.action is ChaosAction.DELAY for event in settings.chaos):
        yield "packetdelay"
    if settings.load.engine == "k6":
        yield "k6"
    if settings.load.locust_workers:
        yield "image-locust"


def _images(cluster: ClusterSettings) -> Mapping[str, str]:
    """The node image, where it is another than the pinned one."""
    if cluster.node_image == versions.image("loadproof/node"):
        return {}
    of_version = cluster.node_image == node_image(cluster.kubernetes_version)
    return {cluster.node_image: "cluster_kubernetes_version" if of_version else "cluster_node_image"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.needs", description=__doc__)
    parser.add_argument("--stack", required=True, help="the stack whose needs are asked for")
    parser.add_argument(
        "--folder", type=Path, default=ROOT, help="where Pulumi.<stack>.yaml stands (default: the project's)"
    )
    options = parser.parse_args()
    problems: tuple[str, ...] = ()
    needed = Needs()
    try:
        needed = needs(settings_of(options.folder / f"Pulumi.{options.stack}.yaml"))
    except SettingsError as error:
        problems = error.problems
    print(json.dumps({"problems": problems, **asdict(needed)}, indent=2))
    return 2 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
