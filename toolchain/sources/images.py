"""Images in the container engine: which are there, and getting upstream's own by digest.

Building one is a recipe's work, starting the engine is `toolchain.engine`'s.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Collection, Mapping
from pathlib import Path

from toolchain.errors import CommandError, NotObtainableError, ToolchainError
from toolchain.pins import ImagePin, Part
from toolchain.process import Processes
from toolchain.sources.hosts import Hosts

IMAGE_RECORD = "image.json"

_INSPECT_TIMEOUT_S = 10.0
_DOCKER_HUB = "docker.io"
_DOCKER_HUB_API = "registry-1.docker.io"


def image_ids(references: Collection[str]) -> Mapping[str, str] | None:
    """The ids of those images that the engine has, by reference; None where no engine answers."""
    if not references:
        return {}
    command = ("docker", "image", "inspect", "--format", "{{json .RepoTags}} {{.Id}}", *references)
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_INSPECT_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode != 0 and "no such image" not in done.stderr.lower():
        return None
    ids: dict[str, str] = {}
    for line in done.stdout.splitlines():
        tags, _, image_id = line.rpartition(" ")
        ids.update(dict.fromkeys(json.loads(tags) or (), image_id))
    return {reference: ids[reference] for reference in references if reference in ids}


def recorded_id(folder: Path) -> str | None:
    """The id of the image that a part's folder stands for."""
    try:
        return str(json.loads((folder / IMAGE_RECORD).read_text(encoding="utf-8"))["id"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_record(out: Path, *, reference: str, image_id: str) -> None:
    (out / IMAGE_RECORD).write_text(
        json.dumps({"reference": reference, "id": image_id}, indent=1) + "\n", encoding="utf-8"
    )


def registry_address(pull: str) -> str:
    """The address of the registry that an image lies in."""
    first, rest = pull.partition("/")[::2]
    registry = first if rest and ("." in first or ":" in first or first == "localhost") else _DOCKER_HUB
    return f"https://{_DOCKER_HUB_API if registry == _DOCKER_HUB else registry}"


def find_image(part: Part, pin: ImagePin, out: Path, *, processes: Processes, log: Path) -> str:
    """Take an image that the engine has, if it is upstream's by its digest."""
    digest = (pin.pull or "").rpartition("@")[2]
    command = ("docker", "image", "inspect", "--format", "{{.Id}} {{json .RepoDigests}}", pin.reference)
    try:
        image_id, _, digests = processes.run(command, log=log, what=part.name).strip().partition(" ")
    except CommandError as error:
        raise NotObtainableError(f"the engine has no {pin.reference}", hint=error.hint) from error
    if not any(name.endswith(f"@{digest}") for name in json.loads(digests) or ()):
        raise NotObtainableError(
            f"the engine's {pin.reference} is not {digest}", hint=f"docker pull {pin.pull}"
        )
    write_record(out, reference=pin.reference, image_id=image_id)
    return pin.reference


def pull_image(part: Part, pin: ImagePin, out: Path, *, hosts: Hosts, processes: Processes, log: Path) -> str:
    """Pull by digest, which is the verification, and give the image the plain name that the stack uses."""
    assert pin.pull is not None, "the plan takes this way only where there is a digest"
    _expect_answer(registry_address(pin.pull), hosts)
    try:
        processes.run(("docker", "pull", "--quiet", pin.pull), log=log, what=part.name)
    except CommandError as error:
        raise NotObtainableError(error.message, hint=error.hint) from error
    processes.run(("docker", "tag", pin.pull, pin.reference), log=log, what=part.name)
    inspect = ("docker", "image", "inspect", "--format", "{{.Id}}", pin.reference)
    image_id = processes.run(inspect, log=log, what=part.name).strip()
    write_record(out, reference=pin.reference, image_id=image_id)
    return pin.pull


def has_image(reference: str) -> bool:
    """Whether the engine has an image by this name, whatever it is."""
    command = ("docker", "image", "inspect", "--format", "{{.Id}}", reference)
    try:
        done = subprocess.run(command, capture_output=True, timeout=_INSPECT_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def pull_unpinned(reference: str, *, setting: str, processes: Processes, log: Path) -> None:
    """Pull an image that a stack's own setting names, by nothing but that name."""
    address = registry_address(reference)
    plain = address.replace(
        "https:", "http:", 1
    )  # an engine may be told to take that, and takes it of loopback
    hosts = Hosts((address, plain))
    try:
        if not hosts.answers(plain):
            _expect_answer(address, hosts)
        processes.run(("docker", "pull", "--quiet", reference), log=log, what=reference)
    except (NotObtainableError, CommandError) as error:
        raise ToolchainError(
            f"{setting} asks for the image {reference}, which is not in the container engine "
            f"and cannot be pulled\n    {error.message}",
            hint=f"{error.hint}, load the image yourself (`docker load`), or leave {setting} at its default",
        ) from error


def _expect_answer(address: str, hosts: Hosts) -> None:
    if not hosts.answers(address):
        raise NotObtainableError(
            f"{address} does not answer ({hosts.why_not(address)})",
            hint="check the network and the engine's proxy settings",
        )
