"""The program that delays packets: onto the nodes before a load, and whether the kernel lets it do its work.

The program is the project's own, toolchain/go/packetdelay. Leaves out what it is told: see `moves`.
"""

import shutil
from pathlib import Path

from loadtest import process
from loadtest.errors import MachineError
from loadtest.process import ProgramFailedError

PROGRAM = "packetdelay"
ON_A_NODE = f"/usr/local/bin/{PROGRAM}"
_RECEIVE = f"cat > {ON_A_NODE}.new && chmod 755 {ON_A_NODE}.new && mv {ON_A_NODE}.new {ON_A_NODE}"
# One line makes it begin, the end of its input makes it end.
_TRY = f"{_RECEIVE} && echo | {ON_A_NODE} 1ms"
_TIMEOUT_S = 30.0


def bring(node: str) -> None:
    """Through the shell's input: the container engine may be another machine's."""
    _send(("docker", "exec", "--interactive", node, "sh", "-c", _RECEIVE))


def try_out(image: str) -> None:
    """Hold packets of a container that has no network. Raises MachineError where that cannot be done."""
    try:
        _send(
            (
                *("docker", "run", "--rm", "--interactive", "--pull", "never", "--network", "none"),
                *("--cap-add", "NET_ADMIN", "--entrypoint", "sh", image, "-c", _TRY),
            )
        )
    except ProgramFailedError as error:
        raise MachineError(
            f"chaos: nothing can be delayed on this machine: {error.hint}",
            hint="It takes a kernel that hands packets to programs (CONFIG_NETFILTER_NETLINK_QUEUE and "
            "CONFIG_NETFILTER_XT_TARGET_NFQUEUE); a freeze takes nothing.",
        ) from error


def _send(receiver: tuple[str, ...]) -> None:
    program = shutil.which(PROGRAM)
    if program is None:
        raise process.program_missing(PROGRAM)
    process.answer(receiver, folder=Path(), timeout_s=_TIMEOUT_S, reads=Path(program))
