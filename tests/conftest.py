"""What tests rely on, whoever started them and however busy the machine is."""

import signal

import hypothesis
import pytest

# Chapters that are not tests by their names tell what they found, too.
pytest.register_assert_rewrite("tests.e2e.known_amounts", "tests.e2e.load_from_pods", "tests.levers")


def pytest_configure() -> None:
    make_programs_hear_signals()
    # How long an example takes says how busy the machine is.
    hypothesis.settings.register_profile(
        "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
    )
    hypothesis.settings.load_profile("any machine")


# As two processes share them so that both end at about the same time: the longest first, a short one last.
# Each is given its next two in advance. Those that are not here come after these.
STORIES = ("by_hand", "existing", "killed", "traefik", "gate", "autoscaling", "chaos", "pipeline")


@pytest.hookimpl(trylast=True)  # after they were shuffled
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {f"tests/e2e/test_{name}.py": place for place, name in enumerate(STORIES)}
    items.sort(key=lambda item: places.get(item.nodeid.partition("::")[0], len(places)))


def make_programs_hear_signals() -> None:
    """A shell that starts the tests in the background, or nohup, has signals ignored by all that they start.

    The tests themselves go on ignoring them, but by a handler: no program inherits that.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)
