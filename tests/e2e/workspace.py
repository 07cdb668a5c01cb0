"""A copy of the project with stack, state, ports and cluster name of its own: tests never meet a user's."""

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.ports import free_port
from tests.waiting import comes_true

PROJECT = Path(__file__).resolve().parents[2]
STACK = "e2e"
# The tests look at what a run says of its load, on a machine that carries a second cluster meanwhile.
LENIENT = {"validity_rate_deviation_percent": "20", "validity_schedule_delay_p99_ms": "1000"}


@dataclass(frozen=True, kw_only=True)
class Workspace:
    root: Path
    cluster: str

    @property
    def artifacts(self) -> Path:
        return self.root / "artifacts"

    @property
    def stack_file(self) -> Path:
        return self.root / f"Pulumi.{STACK}.yaml"

    @property
    def kubeconfig(self) -> Path:
        return self.root / ".kubeconfigs" / STACK / f"{self.cluster}.yaml"

    def environment(self, **changes: str) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")}
        return inherited | {
            "PATH": f"{PROJECT / '.venv' / 'bin'}:{inherited['PATH']}",
            "PULUMI_BACKEND_URL": f"file://{self.root / '.pulumi-state'}",
            **changes,
        }

    def run(
        self, *command: str, timeout_s: float = 600, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.root,
            env=self.environment(**environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
        )

    def loadtest(self, verb: str, *flags: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run("python", "-m", "loadtest", verb, "--stack", STACK, *flags, **environment)

    def pulumi(self, verb: str, *flags: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run(
            *("pulumi", *verb.split(), "--stack", STACK, "--non-interactive", "--color", "never", *flags),
            **environment,
        )

    def start_pipeline(self, *flags: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            ("python", "-m", "loadtest", "pipeline", "--stack", STACK, *flags),
            cwd=self.root,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def configure(self, **settings: object) -> None:
        document = yaml.safe_load(self.stack_file.read_text())
        document["config"] |= {f"loadproof:{name}": value for name, value in settings.items()}
        self.stack_file.write_text(yaml.safe_dump(document, sort_keys=False))

    def report(self) -> dict[str, Any]:
        """What the last run wrote."""
        report: dict[str, Any] = json.loads((self.artifacts / "report.json").read_text())
        return report

    def containers(self) -> list[str]:
        label = f"label=io.x-k8s.kind.cluster={self.cluster}"
        return self.run("docker", "ps", "--all", "--quiet", "--filter", label).stdout.split()

    def resources_in_state(self) -> list[str]:
        listed = self.pulumi("stack", "--show-urns")
        assert listed.returncode == 0, listed.stderr
        return [
            line
            for line in listed.stdout.splitlines()
            if "URN:" in line and "pulumi:pulumi:Stack" not in line
        ]

    def copies_of_kubeconfig(self) -> list[str]:
        found = []
        for copy in (self.root / ".toolchain" / "tmp").glob("kubeconfig*"):
            with contextlib.suppress(FileNotFoundError):  # gone just now
                if self.cluster in copy.read_text():
                    found.append(copy.name)
        return found

    def assert_nothing_left(self) -> None:
        assert self.containers() == [], "containers of the cluster are left"
        assert self.resources_in_state() == [], "resources are left in the stack's state"
        assert not self.kubeconfig.exists(), "the kubeconfig of a cluster that is gone is left"
        assert self.copies_of_kubeconfig() == [], "a copy of the kubeconfig is left"
        locks = list((self.root / ".pulumi-state").rglob("locks/**/*.json"))
        assert locks == [], "a lock is left"


def make_workspace(root: Path) -> Workspace:
    """Every tracked or new file of the project, and links to what set-up made."""
    listed = subprocess.run(
        ("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"),
        cwd=PROJECT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        source, copy = PROJECT / name, root / name
        if source.is_file():
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(source.read_bytes())
            copy.chmod(source.stat().st_mode)
    # As in a run's own environment, which has none. Where it is there pyarrow imports it: 0.3 s of each run.
    (root / "pandas.py").write_text("raise ImportError('pandas is for the tests')\n")
    (root / ".toolchain").mkdir()
    for part in ("charts", "pulumi-home", "tmp"):
        (root / ".toolchain" / part).symlink_to(PROJECT / ".toolchain" / part)
    (root / ".venv").symlink_to(PROJECT / ".venv")
    (root / ".pulumi-state").mkdir(mode=0o700)
    workspace = Workspace(root=root, cluster=f"loadproof-e2e-{os.getpid()}")
    workspace.stack_file.write_bytes((root / "Pulumi.ci.yaml").read_bytes())
    workspace.configure(
        cluster_name=workspace.cluster, ingress_port=free_port(), monitoring_port=free_port(), **LENIENT
    )
    initialised = workspace.run("pulumi", "stack", "init", STACK)
    assert initialised.returncode == 0, initialised.stderr
    return workspace


def wait_until(condition: Callable[[], bool], *, timeout_s: float, what: str, pause_s: float = 0.5) -> None:
    came = comes_true(condition, within_s=timeout_s, pause_s=pause_s)
    assert came, f"still waiting after {timeout_s:.0f} s for {what}"


def windows_begun(workspace: Workspace) -> int:
    """How many windows of loads and measurements the workspace's runs have told of so far."""
    log = workspace.artifacts / "logs" / "loadtest.jsonl"
    return log.read_text().count("the window begins") if log.exists() else 0


def end(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    process.send_signal(number)
