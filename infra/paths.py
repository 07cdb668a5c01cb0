"""Where the program's own files and what it leaves on the machine lie."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROJECT_FILE = ROOT / "Pulumi.yaml"
PINS_FILE = ROOT / "toolchain" / "pins.toml"
KUBECONFIG = ROOT / "artifacts" / "kubeconfig"

# Relative, so that a stack's state does not depend on the folder the project lies in.
CHARTS = ".toolchain/charts"
