"""A project folder whose outside programs are stand-ins that answer as they are told."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from loadtest.artifacts import Artifacts
from loadtest.job import Job
from loadtest.settings import Settings
from tests.integration.fake_program import FakeProgram, fake_program

Answers = Mapping[str, Mapping[str, object]]
PROJECT = Path(__file__).resolve().parents[3]
# What Pulumi answers whatever it is asked of a stack whose state was never begun.
NEVER_BEGUN: Answers = {"": {"code": 255, "stderr": "error: no stack named 'ci' found\n"}}
CONTAINERS = "loadproof-control-plane\nloadproof-worker\n"


@dataclass(frozen=True, kw_only=True)
class Bench:
    """`pulumi`, `docker`, `kind` and `kubectl` of this folder come first on the PATH."""

    root: Path
    pulumi: FakeProgram
    docker: FakeProgram
    kind: FakeProgram
    kubectl: FakeProgram

    @property
    def job(self) -> Job:
        return Job(
            project=self.root,
            stack="ci",
            artifacts=Artifacts(root=self.root / "artifacts"),
            load_flags={},
            settings=Settings(),
        )

    @property
    def kubeconfig(self) -> Path:
        return self.root / ".kubeconfigs" / "ci" / "loadproof.yaml"


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    programs = {name: fake_program(tmp_path / name, name) for name in ("pulumi", "docker", "kind", "kubectl")}
    path = ":".join(str(one.folder) for one in programs.values())
    monkeypatch.setenv("PATH", path, prepend=":")
    bench = Bench(root=tmp_path, **programs)
    bench.pulumi.answers({"": {}})
    bench.kind.answers({"": {}})
    bench.kubectl.answers({"": {"code": 1, "stderr": "no cluster"}})
    bench.docker.answers({"ps": {}, "version": {"stdout": "26.1.5\n"}, "image inspect": {"stdout": "abc\n"}})
    bench.kubeconfig.parent.mkdir(parents=True)
    _delete_command(tmp_path)
    return bench


def _delete_command(root: Path) -> None:
    """The program's own command, as it is: it deletes through `kind` and `docker`, which are stand-ins."""
    command = Path("infra", "clusters", "kind_command.py")
    copy = root / command
    copy.parent.mkdir(parents=True)
    copy.write_bytes((PROJECT / command).read_bytes())
