"""What is said of an event that came beside the second it was planned for."""

from dataclasses import replace

import pytest

from loadtest.report import chaos_sections
from tests.unit.report import values

SEEN = values.CHAOS[2]


@pytest.mark.parametrize(
    ("at_s", "over_s", "words"),
    [
        (-0.25, 0.75, "At 0.25 s before the load: delay"),
        (-0.004, 0.75, "At 0.00 s: delay"),
        (-2.0, -0.5, "until 0.50 s before the load: ⚠️ it was over"),
    ],
)
def test_what_came_before_the_load_is_told_in_words_and_not_as_a_second_below_nought(
    at_s: float, over_s: float, words: str
) -> None:
    problem = "it was over before the load's window began" if over_s < 0 else None
    outcome = replace(SEEN, at_s=at_s, over_s=over_s, problem=problem, hosts={})
    said = chaos_sections.chaos(values.report(chaos=(outcome,))).body
    assert words in said
    assert "-0" not in said.replace(SEEN.victim or "", "")
