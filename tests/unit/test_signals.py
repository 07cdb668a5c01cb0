"""The first interrupt stops the work; what is put away after it is put away undisturbed."""

import contextlib
import os
import signal
import subprocess
import sys

import pytest

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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda one: one.name)
def test_programs_hear_what_the_caller_ignores(number: signal.Signals) -> None:
    """In the background of a script SIGINT is ignored, by all that is started there."""
    before = signal.signal(number, signal.SIG_IGN)
    program = (sys.executable, "-c", f"import os; os.kill(os.getpid(), {int(number)})")
    try:
        with interrupts():
            done = subprocess.run(program, check=False, capture_output=True)
        assert signal.getsignal(number) is signal.SIG_IGN
    finally:
        signal.signal(number, before)
    assert done.returncode == -number


def test_a_hang_up_that_the_caller_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interrupts() as interruption, interruption.armed():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
