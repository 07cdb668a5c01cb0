"""What the recipes of images share: a folder with a Dockerfile is built by the engine, and noted.

The Dockerfiles stand in toolchain/images; none of them fetches anything, all content is put beside them here.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from toolchain.debian import Apt, debian_source
from toolchain.errors import CommandError
from toolchain.sources.build import BuildContext
from toolchain.sources.images import IMAGE_RECORD, write_record

IMAGES = Path(__file__).parents[1] / "images"
PART_LABEL = "loadproof.part"
GO_WRAPPERS = Path(__file__).parents[1] / "go"


def dockerfile_folder(context: BuildContext, name: str, **files: Path) -> Path:
    """A copy of toolchain/images/<name> to add content to, with these files in it already."""
    folder = context.work / name
    shutil.copytree(IMAGES / name, folder)
    for target, source in files.items():
        put(source, folder / target.replace("_", "-"))
    return folder


def put(source: Path, target: Path) -> None:
    """A file, by a second name where the file system allows it; binaries are large."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copy2(source, target)


def docker_build(context: BuildContext, folder: Path, reference: str, **arguments: str) -> None:
    """Build the folder's Dockerfile without network, so that nothing unpinned can come in."""
    context.say(f"building image {reference}")
    given = [word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")]
    options = ("--force-rm", "--network=none", "--label", f"{PART_LABEL}={context.part.name}")
    context.run("docker", "build", *options, "--tag", reference, *given, str(folder))


def finish(context: BuildContext, folder: Path) -> None:
    """Build the folder under the part's own name, and note it."""
    docker_build(context, folder, reference_of(context))
    note_image(context, reference_of(context))


def note_image(context: BuildContext, reference: str) -> None:
    """Leave the part's record of its image: the id tells whether the engine still has the very same one.

    Images of the part that have lost their name to this one go, unless a container still needs them.
    """
    image_id = context.run("docker", "image", "inspect", "--format", "{{.Id}}", reference).strip()
    write_record(context.out, reference=reference, image_id=image_id)
    # The engine prunes for one caller at a time and refuses the others; the next build prunes what is left.
    with suppress(CommandError):
        context.run("docker", "image", "prune", "--force", f"--filter=label={PART_LABEL}={context.part.name}")


def reference_of_need(context: BuildContext, name: str) -> str:
    """The name in the engine of an image that the recipe needs."""
    record = json.loads((context.dependency(name) / IMAGE_RECORD).read_text(encoding="utf-8"))
    return str(record["reference"])


def unpack_debian(
    context: BuildContext, suite: str, packages: tuple[str, ...], root: Path
) -> Mapping[str, str]:
    """Unpack just these packages of a Debian release below `root`; name -> version."""
    context.say(f"fetching {len(packages)} packages of Debian {suite}")
    apt = Apt(
        folder=context.work / f"apt-{root.name}",
        suites=(suite,),
        source=debian_source(),
        run=context.run,
    )
    apt.update()
    return apt.unpack(packages, root)


def go_module(context: BuildContext, wrapper: str, module: str) -> Path:
    """A module's own files, in the version and with the sum that toolchain/go/<wrapper> pins."""
    go = str(context.dependency("go") / "bin" / "go")
    env = {"GOMODCACHE": str(context.cache.go_mod), "GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local"}
    told = context.run(go, "mod", "download", "-json", module, cwd=GO_WRAPPERS / wrapper, env=env)
    return Path(json.loads(told)["Dir"])


def reference_of(context: BuildContext) -> str:
    """The plain name the part's image is known by."""
    assert context.part.image is not None, f"{context.part.name} is no image"
    return context.part.image.reference
