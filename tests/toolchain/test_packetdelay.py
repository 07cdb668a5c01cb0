"""The program that delays packets, without a kernel that hands it any: tests/e2e has those."""

from __future__ import annotations

from tests.toolchain.own_go import assert_passes_its_own_tests


def test_the_program_passes_its_own_tests() -> None:
    assert_passes_its_own_tests("packetdelay")
