"""The first interrupt stops the work; what is put away after it is put away undisturbed."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from loadtest.engines.held_signals import run_interruptible
from loadtest.signals import Interrupted, interrupts


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_interrupts_and_later_ones_do_not(number: signal.Signals) -> None:
    with interrupts() as interruption, interruption.armed():
        with pytest.raises(Interrupted, match=number.name):
            os.kill(os.getpid(), number)
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), signal.SIGTERM)


def test_what_is_not_armed_is_not_interrupted_but_the_signal_is_not_lost() -> None:
    with interrupts() as interruption:
        with interruption.armed():
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Interrupted), interruption.armed():
            pytest.fail("work that begins after the signal must not begin")


def test_an_interrupt_that_a_callback_swallowed_comes_again_at_the_next_checkpoint() -> None:
    with interrupts() as interruption:
        with interruption.armed():
            interruption.checkpoint()
            with contextlib.suppress(BaseException):
                os.kill(os.getpid(), signal.SIGTERM)
            with pytest.raises(Interrupted, match="SIGTERM"):
                interruption.checkpoint()
        interruption.checkpoint()


def test_no_handler_for_exceptions_swallows_an_interrupt() -> None:
    assert not issubclass(Interrupted, Exception)


def test_the_handlers_of_before_come_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with interrupts():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.fixture
def ignored_interrupt() -> Iterator[None]:
    """As for whatever a script starts in its background."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, before)


def test_programs_hear_an_interrupt_that_the_caller_ignores(ignored_interrupt: None) -> None:
    program = (sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGINT)")
    with interrupts() as interruption, interruption.armed():
        done = subprocess.run(program, check=False, capture_output=True)
        os.kill(os.getpid(), signal.SIGINT)
    assert done.returncode == -signal.SIGINT
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_a_load_goes_on_over_an_interrupt_that_the_caller_ignores(ignored_interrupt: None) -> None:
    async def load() -> str:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(0.2)
        return "all of it"

    with interrupts() as interruption, interruption.armed():
        assert run_interruptible(load()) == "all of it"


def test_a_hang_up_that_the_caller_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interrupts() as interruption, interruption.armed():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
