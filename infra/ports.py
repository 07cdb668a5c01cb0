"""Which of the ports a stack wants on this machine are taken by somebody else."""

import errno
import json
import shutil
import socket
import subprocess
from collections.abc import Callable, Mapping

from infra.model import StackSettings

LOOPBACK = "127.0.0.1"
_ASK_ENGINE_S = 10

PortTaken = Callable[[int], bool]


def port_problems(
    ports: Mapping[str, int], *, taken: PortTaken, own: Callable[[], frozenset[int]]
) -> list[str]:
    """One sentence for each port that something other than the stack's own cluster holds."""
    busy = {key: port for key, port in ports.items() if taken(port)}
    # Asking for our own costs a process, so only where it matters: on the second `pulumi up`.
    ours = own() if busy else frozenset()
    return [
        f"{key} is {port}, that port of {LOOPBACK} is in use by another program: end it or set another port"
        for key, port in busy.items()
        if port not in ours
    ]


def stack_port_problems(settings: StackSettings) -> list[str]:
    """The same of a whole stack."""
    cluster = settings.cluster
    return port_problems(
        settings.host_ports,
        taken=port_taken,
        own=lambda: frozenset() if cluster.existing else cluster_ports(cluster.name),
    )


def port_taken(port: int) -> bool:
    """Whether a server could not listen on this loopback port because another one does."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            # A low port may be forbidden to this user and open to the container engine, which then binds it.
            return error.errno != errno.EACCES or _answers(port)
    return False


def cluster_ports(cluster_name: str) -> frozenset[int]:
    """The loopback ports that the KinD cluster of this name publishes; none where no engine answers."""
    docker = shutil.which("docker")
    if docker is None:
        return frozenset()
    what = "{{json .NetworkSettings.Ports}}"
    try:
        found = subprocess.run(
            [docker, "inspect", "--format", what, f"{cluster_name}-control-plane"],
            capture_output=True,
            text=True,
            timeout=_ASK_ENGINE_S,
            check=True,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return frozenset()
    published: Mapping[str, list[dict[str, str]] | None] = json.loads(found.stdout)
    return frozenset(
        int(binding["HostPort"]) for bindings in published.values() for binding in bindings or []
    )


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0
