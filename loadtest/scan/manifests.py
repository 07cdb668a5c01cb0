"""Writes down what stacks would deploy, as files that Trivy can look at; charts with their stack's values."""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from loadtest.scan.deployed import Chart, Deployed

VALUES = "values.yaml"


@dataclass(frozen=True, kw_only=True)
class Manifests:
    """`objects` has a folder for each stack; `charts` are folders that hold one chart and its values each, by
    their stack.
    """

    objects: Path
    charts: tuple[tuple[str, Path], ...]
    left_out: tuple[str, ...]


def write(stacks: Mapping[str, Deployed], folder: Path, project: Path) -> Manifests:
    charts, left_out = [], []
    for stack, would_deploy in stacks.items():
        _write_objects(would_deploy, folder / "objects" / stack)
        for number, chart in enumerate(would_deploy.charts):
            if (source := project / chart.chart).is_dir():
                into = folder / "charts" / f"{stack}-{number}"
                charts.append((stack, _write_chart(chart, source, into)))
            else:
                left_out.append(f"the chart {chart.chart} of {stack}, which is no folder of the project")
    return Manifests(objects=folder / "objects", charts=tuple(charts), left_out=tuple(left_out))


def _write_objects(would_deploy: Deployed, folder: Path) -> None:
    folder.mkdir(parents=True)
    for name, one in _named(would_deploy):
        (folder / name).write_text(yaml.safe_dump(one), encoding="utf-8")


def _named(would_deploy: Deployed) -> Iterator[tuple[str, dict[str, object]]]:
    """Two namespaces may have an object of the same kind and name each."""
    taken: set[str] = set()
    for one in would_deploy.objects:
        plain = f"{one['kind']}-{_name(one)}".replace("/", "-")
        name = plain if plain not in taken else f"{plain}-{len(taken)}"
        taken.add(name)
        yield f"{name}.yaml", one


def _name(one: Mapping[str, object]) -> str:
    """What is secret, or known only once it is there, has none."""
    match one:
        case {"metadata": {"name": str(name)}}:
            return name
        case _:
            return "unnamed"


def _write_chart(chart: Chart, source: Path, folder: Path) -> Path:
    shutil.copytree(source, folder / source.name)
    (folder / VALUES).write_text(yaml.safe_dump(chart.values), encoding="utf-8")
    return folder
