"""What tests rely on, whoever started them and however busy the machine is."""

import signal

import hypothesis


def pytest_configure() -> None:
    make_programs_hear_signals()
    # How long an example takes says how busy the machine is.
    hypothesis.settings.register_profile(
        "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
    )
    hypothesis.settings.load_profile("any machine")


def make_programs_hear_signals() -> None:
    """A shell that starts the tests in the background, or nohup, has signals ignored by all that they start.

    The tests themselves go on ignoring them, but by a handler: no program inherits that.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)
