"""What the stack's config says, asked of the Pulumi program's own settings before anything is created.

The question goes through a process of its own (`python -m infra.check`): this package never imports `infra`.
"""

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from loadtest.chaos.model import ChaosEvent
from loadtest.errors import MachineError, UsageError
from loadtest.load_options import LoadOptions

_TIMEOUT_S = 60.0


@dataclass(frozen=True, kw_only=True)
class ClusterFacts:
    """`kubeconfig_path` is None where kubectl finds it; `images` the container engine has to have.

    `selector` is of the label by which all is known that the stack put into a cluster that stays.
    """

    provider: str
    name: str
    context: str  # of the kubeconfig
    kubeconfig_path: str | None = None
    images: tuple[str, ...] = ()
    node_image: str | None = None  # None: the cluster is not made for the stack
    stays: bool = False  # it was there before the stack, which is to leave nothing in it
    namespace_prefix: str = ""
    selector: str = ""
    autoscalers: bool = False  # whether any app has one
    certificate: str | None = None  # namespace/name of its secret

    @property
    def by_kind(self) -> bool:
        """Made by kind: what is known of its nodes holds only then."""
        return self.provider == "kind"


@dataclass(frozen=True, kw_only=True)
class StackFacts:
    """`cluster` is None where the config is too broken to tell; `problems` then says why.

    `claims` is the folder of the kubeconfigs of clusters that the stack made or was making.
    """

    problems: tuple[str, ...]
    claims: str
    cluster: ClusterFacts | None = None
    chaos: tuple[ChaosEvent, ...] = ()
    load: LoadOptions = field(default_factory=LoadOptions)

    def claimed(self) -> tuple[Path, ...]:
        """There from before a cluster's first container until after its last, and named after the cluster."""
        return tuple(sorted(Path(self.claims).glob("*.yaml")))


def read_stack_facts(project: Path, stack: str) -> StackFacts:
    """Raises UsageError where the program's settings cannot be read at all, as with an unknown stack."""
    try:
        done = subprocess.run(
            (sys.executable, "-m", "infra.check", "--stack", stack),
            cwd=project,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            start_new_session=True,  # a Ctrl-C is for this program, which decides what it means
        )
    except subprocess.TimeoutExpired as error:
        raise MachineError(
            f"the settings of the stack {stack!r} were not read within {_TIMEOUT_S:.0f} s",
            hint="Is this machine short of CPU?",
        ) from error
    try:
        return msgspec.json.decode(done.stdout, type=StackFacts)
    except msgspec.DecodeError as error:
        raise UsageError(
            f"the settings of the stack {stack!r} cannot be read: {error}", hint=done.stderr.strip()[-2000:]
        ) from error
