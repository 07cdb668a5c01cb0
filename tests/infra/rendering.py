"""What a chart makes of a release's values, by the plugin that will install it and with no cluster."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from infra import versions
from infra.paths import ROOT

_PROGRAM = """
import json, pathlib
import pulumi, pulumi_kubernetes as kubernetes

release = json.loads(pathlib.Path("release.json").read_text())
to_files = kubernetes.Provider("files", render_yaml_to_directory="rendered")
kubernetes.helm.v3.Chart(
    release["name"],
    kubernetes.helm.v3.LocalChartOpts(
        path=release["chart"],
        namespace=release["namespace"],
        values=release["values"],
        kube_version=release["kube_version"],
        skip_crd_rendering=True,
    ),
    pulumi.ResourceOptions(provider=to_files),
)
"""


class ChartRefusedError(Exception):
    """The chart does not take the values; the message is the plugin's."""


def rendered(release: Mapping[str, Any], folder: Path) -> list[dict[str, Any]]:
    """The objects that the chart of a recorded release comes to."""
    (folder / "Pulumi.yaml").write_text("name: rendering\nruntime: python\n")
    (folder / "__main__.py").write_text(_PROGRAM)
    inputs = {key: release[key] for key in ("name", "namespace", "values")}
    inputs |= {"chart": str(ROOT / release["chart"]), "kube_version": versions.version("kubernetes")}
    (folder / "release.json").write_text(json.dumps(inputs))
    (folder / "state").mkdir()
    _pulumi(folder, "stack", "init")
    _pulumi(folder, "up", "--yes", "--skip-preview")
    return [yaml.safe_load(file.read_text()) for file in sorted((folder / "rendered").rglob("*.yaml"))]


def one(objects: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    (found,) = [document for document in objects if document["kind"] == kind]
    return found


def _pulumi(folder: Path, *command: str) -> None:
    environment = {
        "PATH": f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}",
        "HOME": os.environ["HOME"],
        "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "",
    }
    done = subprocess.run(
        ["pulumi", *command, "--stack", "files", "--non-interactive", "--color", "never"],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    if done.returncode:
        raise ChartRefusedError(done.stdout + done.stderr)
