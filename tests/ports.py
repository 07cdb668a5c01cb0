"""Ports for what a test starts that cannot take one by itself."""

import socket
from contextlib import suppress
from pathlib import Path
from random import SystemRandom

_GIVEN_TO_CLIENTS = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port() -> int:
    """Below those that the kernel gives to whoever connects: nobody gets it before it is used."""
    beyond = int(_GIVEN_TO_CLIENTS.read_text().split()[0])
    # The seed of the tests' order is the same for all that run side by side.
    for port in SystemRandom().sample(range(beyond // 2, beyond), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError(f"a hundred ports between {beyond // 2} and {beyond} are all taken")
