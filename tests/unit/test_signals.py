"""The first interrupt stops the work; what is put away after it is put away undisturbed."""

import contextlib
import os
import signal

import pytest

from loadtest.signals import Interrupted, interrupts


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_interrupts_and_later_ones_do_not(number: signal.Signals) -> None:
    with interrupts():
        with pytest.raises(Interrupted, match=number.name):
            os.kill(os.getpid(), number)
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), signal.SIGTERM)


def test_once_shielded_nothing_interrupts() -> None:
    with interrupts() as interruption:
        interruption.shield()
        os.kill(os.getpid(), signal.SIGTERM)


def test_an_interrupt_that_a_callback_swallowed_comes_again_at_the_next_checkpoint() -> None:
    with interrupts() as interruption:
        interruption.checkpoint()
        with contextlib.suppress(BaseException):
            os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Interrupted, match="SIGTERM"):
            interruption.checkpoint()
        interruption.shield()
        interruption.checkpoint()


def test_no_handler_for_exceptions_swallows_an_interrupt() -> None:
    assert not issubclass(Interrupted, Exception)


def test_the_handlers_of_before_come_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with interrupts():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
