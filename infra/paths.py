"""Where the program's own files and what it leaves on the machine lie."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROJECT_FILE = ROOT / "Pulumi.yaml"
PINS_FILE = ROOT / "toolchain" / "pins.toml"
KUBECONFIGS = ROOT / ".kubeconfigs"
PLACED = ROOT / ".toolchain"

# Relative, so that a stack's state does not depend on the folder the project lies in.
CHARTS = ".toolchain/charts"


def claims(stack: str) -> Path:
    """The kubeconfigs of the clusters that this stack made or is making, each named after its cluster.

    Beside the state and not among a run's results: it must outlive these, and be in no archive of them.
    """
    return KUBECONFIGS / stack


def kubeconfig(stack: str, cluster: str) -> Path:
    return claims(stack) / f"{cluster}.yaml"


def text_or_none(path: Path | None) -> str | None:
    return None if path is None else str(path)
