"""Packets are held for real, by this machine's kernel, in a container that stands in for a node."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from infra import versions
from loadtest import process
from loadtest.chaos import moves, packet_delay
from loadtest.chaos.lever import Lever
from tests.e2e.workspace import wait_until
from tests.levers import killed_with_its_lever_pulled

pytestmark = pytest.mark.cluster

NODE = f"loadproof-packet-delay-{os.getpid()}"
PORT = 5000
DELAY_MS = 60.0
ANSWERS = f"socat TCP-LISTEN:{PORT},fork,reuseaddr,nodelay EXEC:cat"
ONE_MEBIBYTE = 1 << 20
LARGE = f"head -c {ONE_MEBIBYTE} /dev/zero > /large; socat TCP-LISTEN:{PORT + 1},fork,reuseaddr OPEN:/large"
# Nobody sends a lost one again.
DATAGRAMS = f"socat -u UDP-RECV:{PORT + 2} CREATE:/datagrams"


def docker(*words: str) -> str:
    return process.answer(("docker", *words), folder=Path(), timeout_s=60)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Of a container with a node's own programs; its servers are those above."""
    image = versions.image("loadproof/node")
    docker("run", "--detach", "--privileged", "--name", NODE, "--entrypoint", "sleep", image, "600")
    try:
        packet_delay.bring(NODE)
        for server in (ANSWERS, LARGE, DATAGRAMS):
            docker("exec", "--detach", NODE, "sh", "-c", server)
        yield docker("inspect", "--format", "{{.NetworkSettings.IPAddress}}", NODE).strip()
    finally:
        docker("rm", "--force", "--volumes", NODE)


def connected(address: str, port: int = PORT) -> socket.socket:
    give_up_s = time.monotonic() + 20
    while True:
        try:
            return socket.create_connection((address, port), timeout=20)
        except ConnectionRefusedError:
            assert time.monotonic() < give_up_s, "the server does not come up"
            time.sleep(0.05)


def round_trips_ms(connection: socket.socket, count: int = 9) -> list[float]:
    took_ms = []
    for number in range(count):
        began_s = time.monotonic()
        connection.sendall(bytes([number]))
        assert bytes([number]) == connection.recv(1), "order is kept"
        took_ms.append((time.monotonic() - began_s) * 1e3)
    return sorted(took_ms)


def datagrams() -> list[str]:
    return docker("exec", NODE, "sh", "-c", "cat /datagrams 2> /dev/null || true").split()


def listens(sender: socket.socket) -> bool:
    with suppress(ConnectionRefusedError):
        sender.send(b"up ")
    time.sleep(0.1)
    return "up" in datagrams()


def traces() -> str:
    """The rule and the process that hold packets, where there are any."""
    listed = (
        "iptables-save | grep NFQUEUE; for one in /proc/[0-9]*/comm; do grep packetdelay $one; done; true"
    )
    return docker("exec", NODE, "sh", "-c", listed)


def test_a_machine_that_can_hold_packets_is_found_able_to() -> None:
    packet_delay.try_out(versions.image("loadproof/node"))


def test_every_packet_that_arrives_waits_and_none_does_any_more_when_it_is_over(address: str) -> None:
    with connected(address) as connection:
        before_ms = round_trips_ms(connection)
        lever = Lever(NODE, moves.DELAY_NODE, f"{DELAY_MS:g}ms")
        lever.pull()
        during_ms = round_trips_ms(connection)
        assert "NFQUEUE" in traces()
        lever.release()
        after_ms = round_trips_ms(connection)
    assert before_ms[4] < DELAY_MS / 3
    assert during_ms[0] >= DELAY_MS
    assert during_ms[4] < 1.5 * DELAY_MS
    assert after_ms[4] < DELAY_MS / 3
    assert traces() == ""


def test_what_is_held_when_it_is_over_goes_on_at_once_and_none_of_it_is_lost(address: str) -> None:
    words = [str(number) for number in range(20)]
    lever = Lever(NODE, moves.DELAY_NODE, "60s")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect((address, PORT + 2))
        wait_until(lambda: listens(sender), timeout_s=20, what="the server")
        before = datagrams()
        lever.pull()
        for word in words:
            sender.send(word.encode() + b" ")
    assert before == datagrams()
    lever.release()
    wait_until(lambda: datagrams() == before + words, timeout_s=10, what="what was held, in its order")


def test_a_large_answer_takes_some_round_trips_longer_and_not_one_for_each_packet(address: str) -> None:
    lever = Lever(NODE, moves.DELAY_NODE, f"{DELAY_MS:g}ms")
    with connected(address, PORT + 1):
        pass  # the server is up
    lever.pull()
    try:
        began_s = time.monotonic()
        with connected(address, PORT + 1) as connection:
            received = sum(map(len, iter(lambda: connection.recv(ONE_MEBIBYTE), b"")))
        took_ms = (time.monotonic() - began_s) * 1e3
    finally:
        lever.release()
    assert received == ONE_MEBIBYTE
    assert 2 * DELAY_MS < took_ms < 30 * DELAY_MS


def test_two_delays_at_once_do_not_hinder_each_other(address: str) -> None:
    with connected(address) as connection:
        levers = [Lever(NODE, moves.DELAY_NODE, f"{DELAY_MS:g}ms") for _ in range(2)]
        for lever in levers:
            lever.pull()
        levers[0].release()
        assert round_trips_ms(connection)[0] >= DELAY_MS
        levers[1].release()
        assert round_trips_ms(connection)[4] < DELAY_MS / 3


def test_a_run_that_is_killed_leaves_neither_rule_nor_process(address: str) -> None:
    with killed_with_its_lever_pulled(f"Lever({NODE!r}, moves.DELAY_NODE, '{DELAY_MS:g}ms')"):
        assert "NFQUEUE" in traces()
    wait_until(lambda: traces() == "", timeout_s=20, what="its rule and its process to go")


def test_a_dead_program_cuts_nobody_off(address: str) -> None:
    lever = Lever(NODE, moves.DELAY_NODE, f"{DELAY_MS:g}ms")
    lever.pull()
    docker("exec", NODE, "sh", "-c", "kill -9 $(grep -l packetdelay /proc/[0-9]*/comm | cut -d / -f 3)")
    with connected(address) as connection:
        assert round_trips_ms(connection)[4] < DELAY_MS / 3
    docker("exec", NODE, "iptables", "--table", "raw", "--flush")
    with pytest.raises(Exception, match=NODE):
        lever.release()
