"""What tests rely on, whoever started them and however busy the machine is."""

import signal

import hypothesis
import pytest
from xdist.scheduler import LoadScopeScheduling

# Chapters that are not tests by their names tell what they found, too.
pytest.register_assert_rewrite("tests.e2e.known_amounts", "tests.e2e.load_from_pods", "tests.levers")


def pytest_configure() -> None:
    make_programs_hear_signals()
    # How long an example takes says how busy the machine is.
    hypothesis.settings.register_profile(
        "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
    )
    hypothesis.settings.load_profile("any machine")


# The longest first, or the last one would be waited for alone: those on clusters, then those that need none.
# Several processes share them, and each is given its next two tests in advance. Autoscaling finds its cluster
# new, as a user's run does.
LONGEST = (
    "e2e/test_by_hand.py",
    "e2e/one_cluster/test_autoscaling.py",
    "e2e/one_cluster",
    "e2e/test_existing.py",
    "e2e/test_traefik.py",
    "e2e/test_killed.py",
    "e2e/test_pipeline.py",
    "integration/engines/conformance",
    "toolchain/test_setup.py",
    "toolchain/test_command_provider.py",
    "integration/test_adopt.py",
    "integration/engines/test_locust.py",
    "integration/engines/test_locust_workers.py",
    "integration/page",
    "integration/pipeline/test_report_again.py",
)


@pytest.hookimpl(trylast=True)  # after they were shuffled
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: place(item.nodeid))


def place(nodeid: str) -> int:
    places = (number for number, name in enumerate(LONGEST) if nodeid.startswith(f"tests/{name}"))
    return next(places, len(LONGEST))


def pytest_itemcollected(item: pytest.Item) -> None:
    if item.get_closest_marker("cluster") and not item.nodeid.startswith("tests/e2e/"):
        # A UsageError of one of several processes is not shown.
        raise ValueError(f"{item.nodeid} is marked cluster: `make test` runs those of tests/e2e alone")


class ByCluster(LoadScopeScheduling):
    """A module's tests in one process, and so those of the modules that share a cluster."""

    def _split_scope(self, nodeid: str) -> str:
        return "one_cluster" if "/one_cluster/" in nodeid else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)  # without xdist nobody asks
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling | None:
    return ByCluster(config, log) if config.getoption("dist") == "loadscope" else None


def make_programs_hear_signals() -> None:
    """A shell that starts the tests in the background, or nohup, has signals ignored by all that they start.

    The tests themselves go on ignoring them, but by a handler: no program inherits that.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)
