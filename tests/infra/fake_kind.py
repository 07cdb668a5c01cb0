"""Stand-ins for `kind` and `docker`: they keep the nodes in a file, fail as told, and note what was asked.

Enough to show what the cluster command does to a machine, without a container engine.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_SCRIPT = """#!{python}
import json, os, stat, sys, time
from pathlib import Path

folder = Path(__file__).parent
nodes, plan = folder / "nodes", folder / "failures.json"
program, arguments = Path(__file__).name, sys.argv[1:]
words = " ".join([program, *arguments[:2]])
call = {{"words": words, "pid": os.getpid(), "arguments": arguments}}

def option(name):
    return arguments[arguments.index(name) + 1]

if words.startswith("docker ps"):
    if (folder / "engine-is-down").exists():
        sys.exit("Cannot connect to the Docker daemon")
    print(nodes.read_text() if nodes.exists() else "", end="")
    sys.exit(0)

if words.startswith("docker port"):
    assert arguments[1:] == ["x-control-plane", "6443/tcp"]
    print((folder / "api-port").read_text())
    sys.exit(0)

if words.startswith("docker exec"):
    assert arguments[1:4] == ["x-control-plane", "sh", "-c"]
    if not (folder / "joined").exists():
        (folder / "version-told").touch()
        if (folder / "short-of-memory").exists():
            sys.exit(137)
    kubeconfig = folder / "admin.conf"
    print("v1.2.3", kubeconfig.read_text() if kubeconfig.exists() else "", sep="\\n")
    sys.exit(0)

if words == "kind create cluster":
    kubeconfig = Path(option("--kubeconfig"))
    call["claim"] = oct(stat.S_IMODE(kubeconfig.stat().st_mode)) if kubeconfig.exists() else None
    call["config"] = sys.stdin.read()
with (folder / "asked.jsonl").open("a") as asked:
    asked.write(json.dumps(call) + "\\n")

if words == "kind create cluster":
    nodes.write_text(f"node-{{os.getpid()}}\\n")
    failures = json.loads(plan.read_text()) if plan.exists() else []
    if failures:
        plan.write_text(json.dumps(failures[1:]))
        print(failures[0], file=sys.stderr, flush=True)
        if failures[0] == "hang":
            time.sleep(60)
        sys.exit(1)
    if not (folder / "silent").exists():
        print(" ✓ Starting control-plane 🕹️", file=sys.stderr, flush=True)
    until_s = time.monotonic() + 10 * (folder / "waits").exists()
    asked = [folder / "version-told", *([folder / "schema-asked-for"] * (folder / "api-port").exists())]
    while time.monotonic() < until_s and not all(one.exists() for one in asked):
        time.sleep(0.01)
    (folder / "joined").touch()
    kubeconfig.write_text("secret: kubeconfig")
elif words == "kind delete cluster":
    if (folder / "deleting").exists():
        sys.exit("ERROR: removal of container is already in progress")
    if (folder / "slowly").exists():
        (folder / "deleting").touch()
        time.sleep(60 if (folder / "for-ever").exists() else 0.5)
        (folder / "deleting").unlink()
    stuck = folder / "stuck"
    left = int(stuck.read_text()) if stuck.exists() else 0
    stuck.write_text(str(max(0, left - 1)))
    if left:
        sys.exit(0 if (folder / "quiet").exists() else "ERROR: did not receive an exit event")
    nodes.unlink(missing_ok=True)
"""


@dataclass(frozen=True, kw_only=True)
class FakeMachine:
    """A machine with nothing on it but what the two programs think of it."""

    folder: Path

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            "PATH": str(self.folder),  # and nothing else: no test may reach the real programs
            "CLUSTER_NAME": "x",
            "KUBECONFIG_PATH": str(self.kubeconfig),
        }

    @property
    def kubeconfig(self) -> Path:
        return self.folder / ".kubeconfigs" / "test" / "x.yaml"

    @property
    def nodes(self) -> list[str]:
        file = self.folder / "nodes"
        return file.read_text().split() if file.exists() else []

    def has_cluster_of(self, *nodes: str) -> None:
        (self.folder / "nodes").write_text("\n".join(nodes) + "\n")

    def fails_with(self, *said: str) -> None:
        (self.folder / "failures.json").write_text(json.dumps(said))

    def deletion_fails(self, *, times: int, quietly: bool = False) -> None:
        (self.folder / "stuck").write_text(str(times))
        if quietly:
            (self.folder / "quiet").touch()

    def takes_its_time_to_join(self) -> None:
        """Until all was asked that can be asked by then, but not for ever."""
        (self.folder / "waits").touch()

    def says_nothing_of_its_steps(self) -> None:
        (self.folder / "silent").touch()

    def is_short_of_memory_while_nodes_join(self) -> None:
        (self.folder / "short-of-memory").touch()

    def takes_its_time_to_delete(self) -> None:
        """And does not bear another deletion meanwhile."""
        (self.folder / "slowly").touch()

    def never_ends_deleting(self) -> None:
        (self.folder / "for-ever").touch()
        self.takes_its_time_to_delete()

    @property
    def is_deleting(self) -> bool:
        return (self.folder / "deleting").exists()

    @property
    def version_was_told_before_all_joined(self) -> bool:
        return (self.folder / "version-told").exists()

    def has_an_api_at(self, port: int, kubeconfig: str) -> None:
        (self.folder / "api-port").write_text(f"127.0.0.1:{port}\n[::1]:{port}\n")
        (self.folder / "admin.conf").write_text(kubeconfig)

    def schema_was_asked_for(self) -> None:
        (self.folder / "schema-asked-for").touch()

    def engine_is_down(self) -> None:
        (self.folder / "engine-is-down").touch()

    def asked(self) -> list[dict[str, object]]:
        file = self.folder / "asked.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def asked_for(self) -> list[str]:
        return [str(call["words"]) for call in self.asked()]


def fake_machine(folder: Path) -> FakeMachine:
    for program in ("kind", "docker"):
        script = folder / program
        script.write_text(_SCRIPT.format(python=sys.executable))
        script.chmod(0o755)
    return FakeMachine(folder=folder)
