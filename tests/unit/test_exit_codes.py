"""Scripts and workflows branch on these numbers."""

from loadtest import errors
from loadtest.exit_codes import ExitCode, worst


def test_no_exit_code_ever_changes_its_meaning() -> None:
    assert {
        "PASSED": 0,
        "OBJECTIVE_MISSED": 1,
        "USAGE": 2,
        "MACHINE": 3,
        "DEPLOY_FAILED": 4,
        "UNHEALTHY": 5,
        "INCONCLUSIVE": 6,
        "CLEANUP_INCOMPLETE": 7,
        "INTERRUPTED": 130,
    } == {code.name: code.value for code in ExitCode}


def test_the_worst_of_nothing_is_passed() -> None:
    assert worst([]) is ExitCode.PASSED


def test_something_left_behind_outranks_everything() -> None:
    assert worst(ExitCode) is ExitCode.CLEANUP_INCOMPLETE


def test_a_missed_objective_outranks_one_that_could_not_be_judged() -> None:
    assert worst([ExitCode.INCONCLUSIVE, ExitCode.OBJECTIVE_MISSED]) is ExitCode.OBJECTIVE_MISSED


def test_every_code_has_its_rank() -> None:
    for code in ExitCode:
        assert worst([ExitCode.PASSED, code]) is code


def test_a_failed_publication_never_fails_a_run() -> None:
    assert errors.PublishError.exit_code is ExitCode.PASSED
