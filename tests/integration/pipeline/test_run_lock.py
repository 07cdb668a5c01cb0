"""Two runs of one stack never meet; a dead one holds nothing."""

from pathlib import Path

import pytest

from loadtest.errors import UsageError
from loadtest.run_lock import run_lock


def test_a_second_run_of_the_stack_is_refused(tmp_path: Path) -> None:
    with (
        run_lock(tmp_path, "ci"),
        pytest.raises(UsageError, match="another run uses the stack 'ci'"),
        run_lock(tmp_path, "ci"),
    ):
        pass


def test_another_stack_is_free_and_so_is_this_one_afterwards(tmp_path: Path) -> None:
    with run_lock(tmp_path, "ci"), run_lock(tmp_path, "other"):
        pass
    with run_lock(tmp_path, "ci"):
        pass
