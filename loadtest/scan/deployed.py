"""What a preview says a stack would deploy: its Kubernetes objects, its charts, the images in both. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from loadtest.errors import DeployError

_KUBERNETES = "kubernetes:"
_RELEASE = "kubernetes:helm.sh/"


class _State(msgspec.Struct):
    type: str
    inputs: dict[str, Any] = {}


class _Step(msgspec.Struct):
    newState: _State | None = None  # noqa: N815 - Pulumi's own name


class _Preview(msgspec.Struct):
    steps: tuple[_Step, ...] = ()


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """`chart` is a folder of the project, or the name of a chart elsewhere."""

    chart: str
    values: dict[str, Any] = {}


class Deployed(msgspec.Struct, frozen=True, kw_only=True):
    objects: tuple[dict[str, Any], ...]
    charts: tuple[Chart, ...]
    images: tuple[str, ...]


def deployed(preview: str) -> Deployed:
    """Read from `pulumi preview --json`. Raises DeployError where that is something else."""
    try:
        steps = msgspec.json.decode(preview, type=_Preview).steps
        states = [
            step.newState for step in steps if step.newState and step.newState.type.startswith(_KUBERNETES)
        ]
        releases = [state.inputs for state in states if state.type.startswith(_RELEASE)]
        charts = msgspec.convert(releases, type=tuple[Chart, ...])
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise DeployError(f"the preview cannot be read: {error}") from error
    objects = [state.inputs for state in states if not state.type.startswith(_RELEASE)]
    images = sorted({image for state in states for image in _images(state.inputs)})
    return Deployed(
        objects=tuple(one for one in objects if "kind" in one), charts=charts, images=tuple(images)
    )


def _images(value: object) -> Iterator[str]:
    """Of containers, where an image is one text, and of a chart's values, where it is made of parts."""
    match value:
        case {"image": str(image), "name": str(), **rest}:
            yield image
            yield from _images(rest)
        case {"tag": str(tag), **rest} if name := _name(rest):
            yield f"{name}:{tag}"
        case dict():
            for one in value.values():
                yield from _images(one)
        case list():
            for one in value:
                yield from _images(one)


def _name(values: Mapping[Any, Any]) -> str:
    name = values.get("image") or values.get("repository")
    registry = values.get("registry")
    return "/".join(part for part in (registry, name) if part) if name else ""
